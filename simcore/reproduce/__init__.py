"""Package simcore.reproduce."""
