"""Leaves out the tests that need a real Redis where ``redis-server`` is not installed."""

import pytest

from selftest.checks.bench.redis_server import REDIS_SERVER

needs_redis = pytest.mark.skipif(
    REDIS_SERVER is None, reason="redis-server is not installed (Debian: apt-get install redis-server)"
)
