"""Who holds and computes what: offline partition, prediction, and moves during a run."""
