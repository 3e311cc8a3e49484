"""Places that passwords and keys come from."""
