"""What is kept of a sign-in that was played: the choice, the record, and what no record has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selftest.playground.choice import Choice
from selftest.signin.sign_in_log import SignInRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a sign-in could not be played.

    Attributes:
        title: one sentence.
        words: of whoever knows why: the app's own, mostly.
    """

    title: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A sign-in that was played, or that could not be.

    Attributes:
        id: of the record, where there is one.
        choice: what was asked for.
        record: what Entra logs; None with a problem.
        problem: why there is no record.
        tokens: header and claims of the callouts' tokens, in the order in which they were minted.
        log: what the app logged meanwhile.
        budget_ms: what the endpoint allows itself; None where that is not known.
    """

    id: str
    choice: Choice
    record: SignInRecord | None = None
    problem: Problem | None = None
    tokens: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...] = ()
    log: tuple[str, ...] = ()
    budget_ms: int | None = None
