"""H2M2: HBM and LPDDR on one board, an accelerator chip at each, every sublayer split by head."""
