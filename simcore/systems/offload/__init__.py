"""Systems that keep weights in host memory and bring them to one GPU over PCIe."""
