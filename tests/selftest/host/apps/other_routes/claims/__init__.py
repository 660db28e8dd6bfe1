"""A namesake of the project's package."""

WHOSE = "the app's own"
