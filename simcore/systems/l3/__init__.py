"""Serving many requests with attention on GPUs, in HBM, in DIMMs or on the host (L3, CHIME)."""
