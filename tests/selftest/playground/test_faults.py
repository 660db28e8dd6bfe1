"""What can be chosen to go wrong: everything there is, once."""

from selftest.downstream.faults import FAULTS
from selftest.judge.codes import CODES
from selftest.playground.faults import NONE, TROUBLES, grouped


def test_every_fault_and_every_code_can_be_chosen() -> None:
    """Nothing of the two tables is missing, and nothing is there twice."""
    assert {known.fault.name for known in TROUBLES.values() if known.fault is not None} == set(FAULTS)
    codes = [known.code for known in TROUBLES.values() if known.code is not None]
    assert sorted(codes) == sorted(code for code in CODES if isinstance(code, int))


def test_a_code_that_a_reply_can_show_is_shown_by_one() -> None:
    """Every code of the time of the call comes over the wire; only the others need a decree."""
    for known in TROUBLES.values():
        if known.code is not None:
            during = CODES[known.code].phase == "during the call"
            assert known.kind == ("reply" if during else "decree"), known
            assert (known.sample is not None) == during


def test_nothing_comes_first_and_has_no_heading() -> None:
    """The form starts with a sign-in that goes well."""
    headings = [heading for heading, _ in grouped()]
    assert headings[0] == ""
    assert [known.id for known in grouped()[0][1]] == [NONE]
    assert len(headings) == len(set(headings)) == 4
