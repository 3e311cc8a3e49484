"""The stations of the line and the pumps between them. They know ports, not systems."""
