"""The decisions of the line: pure data and functions, without I/O, clock or randomness."""
