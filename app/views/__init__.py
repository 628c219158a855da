"""Package app.views."""
