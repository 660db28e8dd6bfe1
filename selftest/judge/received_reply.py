"""The reply to one call as the judge reads it."""

from dataclasses import dataclass
from typing import Literal

#: Why no complete reply arrived in time.
type CallFailure = Literal["timeout", "connection", "protocol"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedReply:
    """What came back from one call, or why nothing did.

    Attributes:
        status: The HTTP status; None without a status line.
        content_type: The header as it was sent; None without one.
        failure: Why no complete reply arrived in time; None if one did.
    """

    status: int | None
    content_type: str | None
    body: bytes
    failure: CallFailure | None = None
