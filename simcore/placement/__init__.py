"""Package simcore.placement."""
