"""Package simcore.sweep."""
