"""Buses that carry the news of a request."""
