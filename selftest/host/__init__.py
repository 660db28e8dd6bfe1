"""Serves a function app on this machine: Microsoft's worker library behind an imitation of the host's HTTP edge.

``protos`` stands in for the messages between host and worker, ``worker`` drives the library, ``routes`` finds the
function, ``replies`` writes its answer, ``http_edge`` is the server, ``process`` runs all of it as a subprocess. What
the real host does beside HTTP (timers, storage, keys, scaling) is not imitated.
"""
