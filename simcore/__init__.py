"""Package simcore."""
