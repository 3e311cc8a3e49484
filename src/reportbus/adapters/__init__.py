"""One file per outside system, grouped by the port it fills."""
