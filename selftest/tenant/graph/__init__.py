"""Microsoft Graph, as far as a custom claims provider needs it: a client, and the operations and types that it knows.

The client knows nothing of the emulated Graph, which is part of the tests.
"""
