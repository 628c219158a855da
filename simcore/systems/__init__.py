"""Package simcore.systems."""
