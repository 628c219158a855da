"""Package simcore.activations."""
