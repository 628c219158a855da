"""Package app.widgets."""
