"""The doors from outside, thin: what they show and take, never what is decided."""
