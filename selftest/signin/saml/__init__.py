"""SAML sign-in: the endpoint, its messages, and their attributes."""
