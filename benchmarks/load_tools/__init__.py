"""Load tools, the project's own among them, compared with a server of known latency."""
