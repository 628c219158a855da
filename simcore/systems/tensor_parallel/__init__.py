"""Several GPUs that hold a part of every layer each and add up their results."""
