"""Explain: every id is found in every spelling, unknown ones name their neighbors, and all forms say the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from selftest.checks.registry import Check, CheckOutcome
from selftest.cli import main
from selftest.commands.explain import statements
from selftest.judge.codes import CODES
from selftest.judge.explain import UnknownIdError, as_text, everything, explain, of_check, of_code
from selftest.judge.explain_page import render, render_entry
from selftest.tenant.signin_log.outcomes import OUTCOMES


async def _run(_: object) -> CheckOutcome:
    return CheckOutcome(status="pass", expected="", actual="")


def check(id: str, **changes: Any) -> Check:  # noqa: A002 - the field's name
    """Make a check; ``changes`` replace its texts."""
    texts: dict[str, Any] = {
        "title": "refuses a token that is not signed",
        "level": "sign-in",
        "source": "RFC 8725, section 3.1",
        "why": "Anybody could write such a token.",
        "fix": "Accept RS256 and nothing else.",
        "explain": "A good token is sent.\nThen the same with alg none.",
        "bad": '{"alg": "none"}',
        "good": '{"alg": "RS256"}',
    }
    return Check(id=id, run=_run, **(texts | changes))


CHECKS = {name: check(name) for name in ("T10", "T02", "B01", "T01", "C11", "C01")}

#: Checks stand by subject on the page: what is answered, to whom, to what.
IN_ORDER = ("c01", "c11", "t01", "t02", "t10", "b01", "1003000", "aadb2c90063")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("T01", "T01"),
        (" t01 ", "T01"),
        ("1003005", "1003005"),
        ("AADSTS1003021", "1003021"),
        ("AADSTS50146", "AADSTS50146"),
        ("aadsts50146", "AADSTS50146"),
        ("50146", "AADSTS50146"),
        ("1100001", "AADSTS1100001"),
    ],
)
def test_id_is_found_as_people_write_it(given: str, found: str) -> None:
    """Case, spaces and the AADSTS prefix do not matter."""
    assert explain(given, checks=CHECKS).id == found


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("1", ("1003000", "1003004")),
        ("T", ("T01", "T02", "T10")),
        ("T03", ("T02", "T01")),
        ("1003099", ("1003009",)),
        ("AADSTS5014", ("AADSTS50146",)),
        ("50147", ("AADSTS50146",)),
    ],
)
def test_unknown_id_names_its_neighbours(given: str, near: tuple[str, ...]) -> None:
    """The error shows ids that exist, those that start alike or look alike first."""
    with pytest.raises(UnknownIdError) as caught:
        explain(given, checks=CHECKS)

    assert set(near) <= set(caught.value.near)
    assert all(name in str(caught.value) for name in caught.value.near)
    assert not given.isdigit() or not set(caught.value.near) & CHECKS.keys()


@pytest.mark.parametrize("given", ["", "\x1b[2J", "?" * 10_000])
def test_hostile_id_gives_one_clean_short_line(given: str) -> None:
    """What was typed is quoted and cut, so it cannot steer the terminal."""
    with pytest.raises(UnknownIdError) as caught:
        explain(given, checks=CHECKS)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("width", [20, 60, 100])
def test_text_keeps_to_the_width_and_says_everything(width: int) -> None:
    """Each line fits the terminal unless one word is longer, and no word of the entry is lost."""
    for code in CODES.values():
        written = as_text(of_code(code), width=width)
        assert " ".join(code.fix.split()) in " ".join(written.split())
        samples = {line for part in of_code(code).sections if part.style == "sample" for line in part.text}
        body = [line for line in written.splitlines()[1:] if line[2:] not in samples]
        assert all(len(line) <= max(width, 40) or " " not in line.strip().removeprefix("- ") for line in body)


def test_text_keeps_lines_and_samples_of_a_check() -> None:
    """A sample can be copied, and lines that were apart stay apart."""
    lines = as_text(of_check(check("T01", bad="a  b" * 60)), width=60).splitlines()

    assert "  " + "a  b" * 60 in lines
    assert "  A good token is sent." in lines
    assert "  Then the same with alg none." in lines


def test_check_without_samples_has_no_sections_for_them() -> None:
    """A check whose fault is no single line shows none."""
    keys = [section.key for section in of_check(check("T01", bad=None, good=None)).sections]

    assert keys == ["explain", "why", "fix"]


def test_code_is_shown_by_a_bad_sample_and_a_good_one() -> None:
    """The reply that gets the code stands there to be compared with one that does not."""
    parts = {part.key: part for part in of_code(CODES[1003006]).sections}

    assert "Content-Type: text/plain; charset=utf-8" in parts["bad"].text
    assert "Content-Type: application/json" in parts["good"].text
    assert (parts["bad"].style, parts["good"].style) == ("sample", "sample")
    assert "(missing)" in {part.key: part for part in of_code(CODES[1003016]).sections}["bad"].text


@pytest.mark.parametrize(
    ("words", "outcome", "code", "cause"),
    [
        (("provider_late",), "provider_late", "1003002", "the provider did not return within the budget"),
        (("1003002", "overloaded"), "overloaded", "1003002", "more events at once"),
        (("Audience",), "audience", "1003002", "the token is for another api"),
        (('{"outcome":"issuer","status":401}',), "issuer", "1003002", "another tenant"),
        (('{"outcome":"provider_error","status":503}',), "provider_error", "1003002", "raised an exception"),
        (
            ('{"outcome":"claims","status":200,"loop_stalled_ms":2900}',),
            "event_loop_blocked",
            "1003005",
            "event loop is blocked",
        ),
        (("why", "keys_not_loaded"), "keys_not_loaded", "1003002", "the signing keys are not loaded"),
        (("joined",), "joined", "", "another delivery of the same event"),
    ],
)
def test_the_endpoints_own_outcome_leads(
    words: tuple[str, ...], outcome: str, code: str, cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line of this project's endpoint, or its code, comes first and short; Entra's code is named in one sentence."""
    assert main(["explain", *words]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"{outcome}  ")
    entry, _, rest = text.partition("\n\n1003002  ")
    assert len(entry.splitlines()) < 25
    assert cause in " ".join(entry.split()).lower()
    assert not code or f"selftest explain {code}" in " ".join(entry.split())
    assert bool(rest) == ("1003002" in words)


def test_an_outcome_that_is_a_common_word_is_none_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """A pasted message with the words claims and audience means the code that it names."""
    assert main(["explain", "AADSTS50146:", "the", "app", "has", "claims", "for", "an", "audience", "--json"]) == 0
    assert [entry["id"] for entry in json.loads(capsys.readouterr().out)] == ["AADSTS50146"]


def test_several_outcomes_and_checks_are_explained_together(capsys: pytest.CaptureFixture[str]) -> None:
    """Outcomes first."""
    assert main(["explain", "stale", "T01", "caller", "--json"]) == 0
    assert [entry["id"] for entry in json.loads(capsys.readouterr().out)] == ["stale", "caller", "T01"]


@pytest.mark.parametrize(
    ("words", "code", "found", "missed"),
    [
        (["T23", "1003005", "foo"], 0, ["T23", "1003005"], ["'foo'"]),
        (["AADSTS50146 and T999"], 0, ["AADSTS50146"], ["'T999'"]),
        (["error_codes: [50146, 50147]"], 0, ["AADSTS50146"], ["'50147'"]),
        (["1003002, 1003098"], 2, ["1003002"], ["'1003098'"]),
        (["1003005", "1003098", "t999"], 2, ["1003005"], ["'1003098'", "'t999'"]),
        (["stale", "T9999"], 2, ["stale"], ["'T9999'"]),
    ],
)
def test_what_is_known_is_explained_and_the_rest_is_named(
    words: list[str], code: int, found: list[str], missed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown id in a list of ids is an error, as before; in a text it is a note."""
    assert main(["explain", *words, "--json"]) == code
    out, err = capsys.readouterr()
    assert [entry["id"] for entry in json.loads(out)] == found
    assert err.startswith("explain: not explained")
    assert len(err.splitlines()) == 1
    assert all(each in err for each in missed)


def test_known_ids_leave_no_note(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor do the words of a sentence."""
    assert main(["explain", "AADSTS1100001:", "Non-retryable", "error", "has", "occurred."]) == 0
    assert main(["explain", "AADSTS", "50146"]) == 0
    assert main(["explain", "1100001", "Non-retryable"]) == 0
    assert capsys.readouterr().err == ""


def test_a_code_knows_this_endpoints_failures() -> None:
    """Its own 503s are listed, each with the code that its log line has."""
    (lines,) = [part.text for part in of_code(CODES[1003002]).sections if part.key == "endpoint"]
    text = "\n".join(lines)
    for name in ("provider_error", "provider_late", "overloaded", "keys_not_loaded"):
        assert f"`{name}`" in text
    assert not [part for part in of_code(CODES[1003012]).sections if part.key == "endpoint"]


def test_commands_can_be_copied() -> None:
    """What shows a code is a command line, whole."""
    (lines,) = [part.text for part in of_code(CODES[1003011]).sections if part.key == "commands"]

    assert lines
    assert all(line.startswith("python -m selftest ") for line in lines)


PASTED = "AADSTS1100001: Non-retryable error has occurred. Trace ID: 0f0f Correlation ID: {} Timestamp: 2026-01-02"
CORRELATION = "1a121212-1212-4212-8212-121212121212"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (PASTED.split(), ["AADSTS1100001"]),
        ([PASTED], ["AADSTS1100001"]),
        (["error_description=AADSTS50146%3a+This+application"], ["AADSTS50146"]),
        (["code 1003005 inside AADSTS1100001", "(1003005)"], ["1003005", "AADSTS1100001"]),
        (["AADSTS7999999:", "then", "AADSTS1003021."], ["1003021"]),
        (["FAIL", "T10:", "refuses garbage"], ["T10"]),
        (["aadb2c90063: there is a problem with the service"], ["AADB2C90063"]),
    ],
)
def test_pasted_line_is_searched_for_its_codes(
    words: list[str], found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A line of an error page, quoted or not, gives the entries of the codes that it names."""
    assert main(["explain", *words, "--json"]) == 0
    assert [entry["id"] for entry in json.loads(capsys.readouterr().out)] == found


def test_pasted_correlation_id_leads_to_the_sign_in_log(capsys: pytest.CaptureFixture[str]) -> None:
    """The other thing that an error page tells is what the sign-in log is searched by."""
    assert main(["explain", *PASTED.format(CORRELATION.upper()).split()]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"--correlation-id {CORRELATION}")


@pytest.mark.parametrize("text", ["AADSTS7999999: Another secret.", "no code at all", "\x1b]0;x\x07 1"])
def test_pasted_line_without_a_known_code_is_an_error(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to explain is exit code 2 and one clean line."""
    assert main(["explain", text]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.strip().isprintable()


def test_a_wrapper_speaks_of_codes_and_groups_by_name() -> None:
    """A terminal has no table, and a letter alone says nothing; JSON has the letters."""
    entry = of_code(CODES["AADSTS1100001"])
    for text in (as_text(entry), render_entry(entry)):
        assert "this table" not in text
        assert "any of the codes 1003000 to 1003027" in text
        assert "all of C (contract), all of D (doctor), all of L (load), all of T (token)" in text
    assert entry.as_json()["related"] == ["C", "D", "L", "T"]


def test_json_has_the_same_texts() -> None:
    """A program reads the same as a person."""
    written = of_code(CODES[1003005]).as_json()

    assert written["phase"] == "during the call"
    assert written["cause"] == list(CODES[1003005].cause)
    assert written["related"] == list(CODES[1003005].related)
    assert written["conflict"] == CODES[1003005].conflict
    assert of_check(CHECKS["T01"]).as_json()["level"] == "sign-in"


def test_everything_is_checks_by_id_and_then_codes() -> None:
    """The list does not depend on which check was registered first."""
    ids = [entry.id for entry in everything(checks=CHECKS)]

    assert ids == ["B01", "C01", "C11", "T01", "T02", "T10", *map(str, CODES)]


def test_page_holds_every_entry_once_and_never_changes() -> None:
    """The page is a function of the registries, not of the order in which checks were registered."""
    page = render(checks=CHECKS)

    assert page == render(checks=dict(reversed(CHECKS.items())))
    for entry in everything(checks=CHECKS):
        assert page.count(f'<a id="{entry.id.lower()}"></a>') == 1
        assert page.count(f"](#{entry.id.lower()})") == (0 if entry.id in CHECKS else 1)
    assert page.endswith("\n")
    assert not page.endswith("\n\n")
    places = [page.index(f'<a id="{name}">') for name in IN_ORDER]
    assert places == sorted(places)
    assert not any(line != line.rstrip() for line in page.splitlines())


def test_markdown_escapes_plain_words_and_leaves_code_alone() -> None:
    """Angle brackets, stars and pipes stay visible, and a fence outlasts the backticks inside it."""
    written = render_entry(of_check(check("T01", title="a <b> | *c* `d|<e>` Claims__X _y_", bad="```\nx")))

    assert r"a \<b> \| \*c\* `d|<e>` Claims__X \_y\_" in written
    assert "````text\n```\nx\n````" in written


def test_command_explains_several_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """Codes are printed in the order in which they were asked for."""
    assert main(["explain", "1003005", "50146"]) == 0
    out = capsys.readouterr().out
    assert out.index("CustomExtensionTimedOut") < out.index("MissingCustomSigningKey")


def test_command_prints_json_and_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    """Both forms hold the entry; JSON is a list, also for one code."""
    assert main(["explain", "1003026", "--json"]) == 0
    assert [entry["id"] for entry in json.loads(capsys.readouterr().out)] == ["1003026"]

    assert main(["explain", "1003026", "--markdown"]) == 0
    assert "### 1003026 " in capsys.readouterr().out


def test_command_lists_every_id(capsys: pytest.CaptureFixture[str]) -> None:
    """The list holds each check, each code and each outcome on a line of its own."""
    assert main(["explain", "--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert set(listed) == {*statements(), *map(str, CODES), *OUTCOMES}
    assert len(listed) == len(set(listed))


def test_command_prints_the_whole_page(capsys: pytest.CaptureFixture[str]) -> None:
    """Markdown without a code is the page of docs, byte for byte."""
    assert main(["explain", "--markdown"]) == 0
    assert capsys.readouterr().out == render(checks=statements())


@pytest.mark.parametrize("words", [(), ("--json",), ("T999", "T9999"), ("--list", "T01"), ("--list", "--markdown")])
def test_command_refuses_what_it_cannot_answer(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown id or no id is exit code 2, one line on stderr and nothing on stdout."""
    assert main(["explain", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("explain: ")
    assert len(err.splitlines()) == 1


def test_committed_page_is_the_registries() -> None:
    """docs/codes.md says what the registries say; mend it with `make docs`."""
    assert (Path(__file__).parents[3] / "docs" / "codes.md").read_text() == render(checks=statements())
