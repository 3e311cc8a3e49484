"""Places where a report waits for its delivery."""
