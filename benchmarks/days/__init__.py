"""Days on which something behind the endpoint fails."""
