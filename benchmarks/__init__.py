"""Measurements that a reader can repeat; each prints its figures and asserts nothing.

``python -m benchmarks.unknown_keys`` and ``python -m benchmarks.token_expiry``, one at a time on a quiet machine.
"""
