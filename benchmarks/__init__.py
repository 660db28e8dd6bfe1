"""Repeatable measurements of the endpoint and its peers, in one run on one machine.

``make bench`` runs all of them, prints tables and what must hold, and writes ``results.md``.
``python -m benchmarks PART`` runs one. Use a quiet machine: a disturbance that affects everything cancels out in the
ratios, but not in the 99.9th percentiles.
"""
