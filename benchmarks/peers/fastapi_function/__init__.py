"""The handler as it is usually written by hand."""
