"""Measurements that a reader can repeat: the endpoint beside its peers, in one run on one machine.

``make bench`` runs all of them, prints tables, says what must hold and whether it does, and writes ``results.md``.
``python -m benchmarks PART`` runs one. Run it on a quiet machine: the ratios forgive a disturbance that hits everybody,
the 99.9th percentiles do not.
"""
