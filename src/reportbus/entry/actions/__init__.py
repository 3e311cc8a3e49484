"""What people can ask of the line and do to it, the same through every door. Nothing here prints."""
