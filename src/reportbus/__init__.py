"""Report requests in, whole reports delivered, every step on record."""

__version__ = "0.1.0"
