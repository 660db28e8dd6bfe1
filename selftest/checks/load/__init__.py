"""L: whether the answers of a load run came in time."""

from selftest.checks.load import budget, first_call, profiles
