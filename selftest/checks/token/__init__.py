"""T: the token of a callout."""
