"""Package app.export."""
