"""Package app.settings."""
