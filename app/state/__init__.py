"""Package app.state."""
