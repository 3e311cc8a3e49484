"""Databases that hold the one truth."""
