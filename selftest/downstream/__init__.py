"""The emulated dependencies of an endpoint: a profile API, a small Graph and a managed identity, which fail on demand.

They listen on the loopback interface only and have no real data.
"""
