"""Package simcore.results."""
