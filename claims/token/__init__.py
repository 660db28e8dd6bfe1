"""The bearer token: is the caller Entra's event service, calling this endpoint for this tenant?"""
