"""Timeline algebra and the simulator loop."""
