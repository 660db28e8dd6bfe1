"""Microsoft Graph, as far as a custom claims provider needs it: a client, and the operations that it uses.

The client does not know the emulated Graph, which is part of the tests.
"""
