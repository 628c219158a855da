"""HybridServe: one GPU, host memory over PCIe, caches of KV and of activations side by side."""
