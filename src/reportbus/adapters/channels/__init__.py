"""Ways of telling people and systems."""
