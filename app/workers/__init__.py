"""Package app.workers."""
