"""What outlives a run of the application: sessions beside scenarios, unsaved edits, reports."""
