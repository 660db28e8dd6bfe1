"""B30 to B39: the body's declared media type and encoding."""

import gzip
from collections.abc import Callable

from selftest.checks.bench.probe import RawRequest
from selftest.checks.body.refused import request_fault


def _as(content_type: str) -> Callable[[RawRequest], RawRequest]:
    return lambda good: good.with_header("Content-Type", content_type)


def _compressed(good: RawRequest) -> RawRequest:
    return good.with_body(gzip.compress(good.body)).with_header("Content-Encoding", "gzip")


request_fault("B30", _as("text/plain"))
request_fault("B31", lambda good: good.without("Content-Type"))
request_fault("B32", _as("application/json; charset=iso-8859-1"))
request_fault("B33", _compressed)
request_fault("B34", _as("application/x-www-form-urlencoded"))
