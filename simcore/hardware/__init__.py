"""Package simcore.hardware."""
