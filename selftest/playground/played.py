"""The result of a sign-in: the choice, the record, and what the record does not contain."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selftest.playground.choice import Choice
from selftest.signin.sign_in_log import SignInRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayFailure:
    """The reason why a sign-in could not be played.

    Attributes:
        title: One sentence.
        detail: The original message, usually the app's.
    """

    title: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A sign-in that was played, or could not be played.

    Attributes:
        id: The id of the record; a new id without a record.
        record: The record of Entra's log; None after a failure.
        failure: The reason why there is no record.
        tokens: Header and claims of the callouts' tokens, in the order in which they were minted.
        log: What the app logged meanwhile.
        budget_ms: The endpoint's own time limit; None if unknown.
    """

    id: str
    choice: Choice
    record: SignInRecord | None = None
    failure: PlayFailure | None = None
    tokens: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...] = ()
    log: tuple[str, ...] = ()
    budget_ms: int | None = None
