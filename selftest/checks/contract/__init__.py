"""C: the endpoint's responses."""
