"""The only place that chooses adapters: settings in, a line that runs out."""
