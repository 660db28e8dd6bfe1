"""B: the body of a callout."""
