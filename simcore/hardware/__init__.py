"""Time models of devices and links: pure functions of scenario data and amounts of work."""
