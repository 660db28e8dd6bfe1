"""F: what the endpoint does while something that it depends on fails."""
