"""Systems that make reports."""
