"""F: what the endpoint does while something that it depends on fails."""

from selftest.checks.faults import matrix, retry
