"""Package app.viewmodels."""
