"""The emulated Entra: one tenant on the loopback interface, with its keys, its metadata and its tokens.

``EntraServer`` plays the side of Entra that an endpoint sees: what is published (metadata, signing keys), what is sent
(the callout with its bearer token) and what can be asked for (a client-credentials token). There is no password and no
consent, and nothing it signs is of any worth outside this machine.
"""
