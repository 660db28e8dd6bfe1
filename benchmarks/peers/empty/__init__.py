"""A function that does nothing: the floor."""
