"""A namesake of the harness, which must not be taken from the app's directory."""

raise ImportError("the harness was imported from the app's directory")
