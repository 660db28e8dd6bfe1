"""OpenID Connect sign-in: the authorize and token endpoints, with their codes, refresh tokens and scopes."""
