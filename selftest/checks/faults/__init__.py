"""F: the endpoint while one of its dependencies fails."""
