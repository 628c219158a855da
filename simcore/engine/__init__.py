"""Package simcore.engine."""
