"""C: what the endpoint answers, and how."""
