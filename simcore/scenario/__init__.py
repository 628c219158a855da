"""Package simcore.scenario."""
