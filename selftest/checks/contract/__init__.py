"""C: what the endpoint answers, and how."""

from selftest.checks.contract import behavior, http, log, refusals, reply, varieties
