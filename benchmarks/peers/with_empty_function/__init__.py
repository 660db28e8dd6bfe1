"""The endpoint and an empty function in one app."""
