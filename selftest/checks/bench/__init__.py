"""The test environment of checks: the endpoint, the emulated tenant, and one raw request."""
