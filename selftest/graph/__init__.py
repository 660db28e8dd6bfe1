"""Microsoft Graph, as far as a custom claims provider needs it: a client, and an emulated Graph to try it on.

The emulated Graph keeps the objects of one tenant and refuses what the real one is documented to refuse, so that what
reads a tenant or writes to it can be tested without one. The client knows nothing of the emulator.
"""
