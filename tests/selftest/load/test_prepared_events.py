"""The requests of a load run: events of every kind with their own ids, and tokens that do not expire."""

import json
import uuid

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.payloads import VARIETIES
from selftest.load.prepared_events import CalloutFactory, TokenPool


def callouts(**options: object) -> CalloutFactory:
    """Return the callouts of a run."""
    made = {"seed": 1, "run_id": b"12345678", **options}
    return CalloutFactory(DEFAULT_TENANT, TokenPool(lambda: "a.b.c"), **made)  # type: ignore[arg-type] # chosen by the test


def test_each_call_is_the_documented_event_with_its_own_id() -> None:
    """The body is that of its variety, and the id is a unique UUID."""
    made = callouts()
    prepared = [made(number) for number in range(500)]
    ids = [each.correlation_id for each in prepared]
    assert len(set(ids)) == 500
    assert all(uuid.UUID(each).version == 4 for each in ids)
    for each in prepared:
        built = [variety.build(DEFAULT_TENANT, each.correlation_id) for variety in VARIETIES]
        assert json.loads(each.body) in built


def test_all_varieties_are_mixed_and_the_mix_is_repeatable() -> None:
    """All varieties occur from the start, in an order that depends only on the seed."""
    one, same, other = callouts(), callouts(), callouts(seed=2)
    bodies = [one(number).body for number in range(70)]
    assert len({json.loads(body)["data"]["authenticationContext"]["user"]["id"] for body in bodies}) >= 5
    assert bodies == [same(number).body for number in range(70)]
    assert bodies != [other(number).body for number in range(70)]


def test_two_runs_share_no_id() -> None:
    """An endpoint that joins repeated events must not join those of another run."""
    made = [CalloutFactory(DEFAULT_TENANT, TokenPool(lambda: "a.b.c"), seed=1) for _ in range(2)]
    assert made[0](0).correlation_id != made[1](0).correlation_id


def test_tokens_are_minted_before_and_again_before_they_end() -> None:
    """A token is replaced after half an hour, and not before."""
    now_s, minted = [0.0], iter(range(1000))
    tokens = TokenPool(lambda: f"a.{next(minted)}.c", pool=2, clock=lambda: now_s[0])
    assert [tokens.headers(number)["Authorization"] for number in range(4)] == [
        *("Bearer a.0.c", "Bearer a.1.c"),
        *("Bearer a.0.c", "Bearer a.1.c"),
    ]
    now_s[0] = 1801
    assert tokens.headers(0)["Authorization"] == "Bearer a.2.c"
    assert tokens.headers(2)["Authorization"] == "Bearer a.2.c"


def test_nothing_prints_a_token() -> None:
    """The text form of a prepared request contains only its id."""
    assert "Bearer" not in repr(callouts()(0))
