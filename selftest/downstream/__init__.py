"""The emulated downstream: a profile API, a small Graph and a managed identity, which fail on demand.

It listens on the loopback interface only and holds no real data.
"""
