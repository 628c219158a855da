"""Package app.commands."""
