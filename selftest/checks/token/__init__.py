"""T: the token of a callout."""

from selftest.checks.token import (
    accepted,
    algorithm,
    caller,
    encoding,
    form,
    header,
    issuer,
    keys,
    rotation,
    signature,
    times,
)
