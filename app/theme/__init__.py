"""Package app.theme."""
