"""The emulated Entra: one tenant on the loopback interface, with its keys, metadata and tokens.

``EntraServer`` emulates what an endpoint sees of Entra: published metadata and signing keys, the callout with its
bearer token, and client-credentials tokens on request. There are no passwords and no consent, and its signatures are
worth nothing outside this machine.
"""
