"""Places that reports are delivered to."""
