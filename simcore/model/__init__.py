"""Package simcore.model."""
