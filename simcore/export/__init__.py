"""Package simcore.export."""
