"""SAML sign-in: the endpoint, its messages, and the attributes that they carry."""
