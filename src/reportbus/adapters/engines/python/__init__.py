"""The Python engine: reports from a query (`exports`) and from registered scripts (`scripts`)."""
