"""What happens by itself: one process leads, and fires what is due."""
