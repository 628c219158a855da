"""Package simcore.workload."""
