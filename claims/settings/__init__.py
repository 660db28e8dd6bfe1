"""The settings of the endpoint and of its providers: read once, checked whole, never changed."""
