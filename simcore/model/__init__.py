"""From model shapes to amounts of work."""
