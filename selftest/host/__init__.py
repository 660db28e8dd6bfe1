"""Serves a function app on this machine: Microsoft's worker library behind an imitation of the host's HTTP edge.

``protos`` stands in for the messages between host and worker, ``worker`` drives the library, ``host_json`` reads the
app's settings of the host, ``routes`` finds the function, ``request`` and ``replies`` convert, ``http_edge`` is the
server, ``sending`` writes, ``supervisor`` replaces a worker that ends, ``process`` runs all of it as a subprocess. What
the real host does beside HTTP (timers, storage, keys, scaling) is not imitated; docs/host.md compares the two.
"""
