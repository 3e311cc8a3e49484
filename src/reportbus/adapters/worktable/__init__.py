"""Tables that requests are read from and written back to."""
