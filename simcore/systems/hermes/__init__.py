"""Hermes: one GPU with NDP-DIMMs, neurons split into hot and cold."""
