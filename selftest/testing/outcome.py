"""The outcome of a sign-in in a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInOutcome:
    """The result of one sign-in; a failed assertion shows it.

    Attributes:
        minted: Whether the user gets a token.
        code: The code that Entra would log; None if a token is minted.
        reason: Why, in one sentence.
        status: The HTTP status of the last attempt; None without an answer.
        claims: What the app answered, as Entra reads it; empty without a token.
        line: The app's line in the log for the last attempt; empty without one.
        latency_ms: From the start of the first attempt to the end of the last one, in milliseconds.
        attempts: How often Entra called.
        warnings: What Entra would accept and the app's owner should know.
        token: The claims of the token that the application gets, of which ``claims`` are a part; empty without one.
        event: What Entra sent.
        log: The lines that the app logged meanwhile, its provider's own among them; a failed test shows them.
    """

    minted: bool
    code: int | None
    reason: str
    status: int | None
    claims: Mapping[str, object]
    line: Mapping[str, Any]
    latency_ms: float
    attempts: int
    warnings: tuple[str, ...]
    token: Mapping[str, object] = field(repr=False)
    event: Mapping[str, Any] = field(repr=False)
    log: tuple[str, ...] = field(repr=False)
