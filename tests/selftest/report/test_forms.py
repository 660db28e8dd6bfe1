"""The forms of the report: JUnit that parses, a console that begins with the verdict, nothing that a terminal obeys."""

import io
import re
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from rich.console import Console

from selftest.checks import REGISTRY
from selftest.entra.payloads import VARIETIES
from selftest.judge.app_line import LOOP_BLOCKED, AppLine
from selftest.report.console import show
from selftest.report.html.page import page
from selftest.report.junit import junit
from selftest.report.outputs import add_output_arguments, emit
from selftest.report.progress import Progress
from selftest.report.provenance import environment, target, tool
from selftest.report.results import Results
from selftest.report.stored import ReportError, parse
from tests.selftest.load.loads import SOAK
from tests.selftest.report.sample import EVERYTHING, RAISED, check, results, signin

HOSTILE = 'x\x1b[31m\x07\x00<b>&"]]>\u202e\ud800[red]:bomb:\r\n'


def parsed(run: Results) -> Element:
    """Write and parse the document."""
    return fromstring(junit(run))  # noqa: S314 - our own document, just written


def shown(run: Results, *, verbose: bool = False) -> str:
    """Print the report to a file."""
    stream = io.StringIO()
    show(run, Console(file=stream, width=100, color_system=None, highlight=False), verbose=verbose)
    return stream.getvalue()


def arguments(*words: str) -> Namespace:
    """Read the output flags."""
    parser = ArgumentParser()
    add_output_arguments(parser)
    return parser.parse_args(words)


def test_junit_counts_what_it_holds() -> None:
    """One suite a level and one for sign-ins; the totals are the sums, and what does not count fails no CI run."""
    root = parsed(EVERYTHING)
    assert [suite.get("name") for suite in root] == ["sign-in", "hardening", "signin"]
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
    }


def test_junit_names_level_and_subject() -> None:
    """A CI system that groups by class groups by level."""
    cases = [case.get("classname") for case in parsed(EVERYTHING).iter("testcase")]
    assert cases == [
        *("selftest.sign-in.body", "selftest.sign-in.contract", "selftest.sign-in.contract", "selftest.sign-in.token"),
        *("selftest.hardening.body", "selftest.play.sign_in", "selftest.play.sign_in"),
    ]


def test_a_waived_failure_is_skipped_in_junit() -> None:
    """Its reason is there, and it fails no CI run."""
    root = parsed(results(check("T30", "fail", waiver="ticket 4711 (until 2027-03-31)")))
    assert (root.get("failures"), root.get("skipped")) == ("0", "1")
    skipped = root.find(".//skipped")
    assert skipped is not None
    assert skipped.get("message") == "waived: ticket 4711 (until 2027-03-31)"


def test_a_check_that_could_not_run_is_no_finding_in_junit() -> None:
    """Many checks of the level sign-in cannot run against an endpoint elsewhere: that is no lost sign-in."""
    skipped = parsed(results(check("F30", "skip", actual="it runs elsewhere"))).find(".//skipped")
    assert skipped is not None
    assert skipped.get("message") == "not judged, and no finding: it runs elsewhere"


def test_junit_tells_what_to_do() -> None:
    """A failure holds expected, actual, the fix, the request and where to read on."""
    failure = parsed(results(check("T30", "fail"))).find(".//failure")
    assert failure is not None
    text = failure.text or ""
    for part in ("expected HTTP 401", "actual   HTTP 200", "Mend it.", "curl -i", "explain T30"):
        assert part in text


def test_a_strict_run_fails_on_hardening() -> None:
    """What fails the run fails the case, too."""
    run = results(check("B22", "fail", level="hardening"), strict=True)
    assert parsed(run).get("failures") == "1"


def test_hostile_text_stays_text_in_junit() -> None:
    """Whatever an endpoint answers, the document parses and the text is not markup."""
    run = results(check("T30", "fail", actual=HOSTILE, title=HOSTILE, curl=HOSTILE))
    failure = parsed(run).find(".//failure")
    assert failure is not None
    assert "<b>&" in (failure.text or "")


def test_hostile_text_stays_text_on_the_console() -> None:
    """No escape sequence, direction mark or markup of an endpoint's reaches the terminal."""
    run = results(check("T30", "fail", actual=HOSTILE, curl=HOSTILE), check("C95", "skip", actual=HOSTILE))
    output = shown(run)
    for character in "\x1b\x07\x00\u202e\ud800\r":
        assert character not in output
    assert "[red]:bomb:" in output


def test_the_verdict_is_the_first_line() -> None:
    """The eye begins at the top."""
    assert shown(EVERYTHING).startswith(
        "FAIL  2 sign-in checks failed, 1 hardening check failed, 1 check passed, 1 skipped, 1 of 2 sign-ins got"
    )


def test_the_summary_says_how_many_failures_count() -> None:
    """The verdict counts two levels alone; with --strict each failure counts."""
    run = results(check("T30", "fail", level="security"), check("T31", "fail", level="hardening"))
    assert "0 of 2 passed, 2 failed (1 of a level that counts)" in shown(run)
    assert (
        "0 of 2 passed, 2 failed\n" in "\n".join(map(str.rstrip, shown(replace(run, strict=True)).splitlines())) + "\n"
    )


def test_the_worst_comes_first() -> None:
    """What counts stands above what does not."""
    output = shown(EVERYTHING)
    places = [
        output.index(text) for text in ("C01", "T30", "B22", "C95: the app runs elsewhere", "a member", "B  body")
    ]
    assert places == sorted(places)


def test_three_findings_are_shown_whole_and_the_others_named() -> None:
    """All of them with --verbose."""
    run = results(*(check(f"C0{number}", "fail") for number in range(1, 6)))
    assert shown(run).count("Mend it.") == 3
    assert "also  sign-in: C04 C05" in shown(run)
    assert shown(run, verbose=True).count("Mend it.") == 5


def test_the_worst_of_each_level_that_counts_is_among_the_three() -> None:
    """Many failures of one level do not hide that anybody is let in."""
    sign_in = [check(f"C0{number}", "fail") for number in range(1, 6)]
    output = shown(results(*sign_in, check("T01", "fail", level="security", let_in=True)))
    places = [output.index(text) for text in ("FAIL  C01", "FAIL  C02", "FAIL  T01  anybody gets claims", "also")]
    assert places == sorted(places)
    assert "also  sign-in: C03 C04 C05" in output


def test_findings_with_one_fix_take_one_place_of_the_three() -> None:
    """Three numbers that JSON does not have are one mistake; and a forged token is worse than an odd body."""
    same = [check(f"B0{number}", "fail", level="hardening", fix="Read strict JSON.") for number in range(7, 10)]
    others = [check("B20", "fail", level="hardening", fix="Limit it."), check("T21", "fail", level="hardening")]
    output = shown(results(*same, *others))
    assert re.findall(r"^warn  (\w+)", output, re.MULTILINE) == ["T21", "B07", "B20"]
    assert "also  hardening: B08 B09" in output


def test_the_start_of_a_failed_checks_response_is_shown_with_verbose() -> None:
    """It says who answered; nothing in it is obeyed by a terminal."""
    run = results(check("C05", "fail", answer=f"Server: nginx; body: <h1>{HOSTILE}"))
    assert "nginx" not in shown(run)
    assert "answer Server: nginx; body: <h1>x\\x1b[31m" in shown(run, verbose=True)
    assert "\x1b" not in shown(run, verbose=True)
    assert "answer   Server: nginx" in junit(run)
    assert "Server: nginx" in page(run)


def test_of_a_deployed_endpoint_the_report_shows_who_answered() -> None:
    """Also where the check passed or was skipped, because a gateway refuses a call as an endpoint does."""
    who = "Server: gateway; body: no entry"
    deployed = {"url": "https://h.example/api", "mode": "deployed, trusts the real Entra"}
    for status in ("pass", "fail", "skip"):
        run = results(check("T01", status, answer=who), check("T02", status, answer="other"))
        assert who not in shown(run)
        run = replace(run, target=deployed)
        assert f"answer {who}" in shown(run)
        assert "other" not in shown(run)


def test_a_command_with_a_token_says_what_the_token_is() -> None:
    """No report contains a token, so a command that needs one names the way to send it again."""
    run = results(check("T30", "fail", curl='curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:1/'))
    for text in (shown(run, verbose=True), junit(run), page(run)):
        line = " ".join(text.split())
        assert "$TOKEN stands for the token that T30 sends. No token is printed: " in line
        assert " check T30` with this run" in line
    assert "stands for the token" not in shown(results(check("C91", "fail")), verbose=True)


def test_a_finding_says_for_how_many_attacks_of_which_level_it_stands() -> None:
    """So that the numbers of the verdict can be added up."""
    attacks = [check(f"T0{number}", "fail", level="hardening", let_in=True) for number in range(2, 5)]
    output = shown(results(check("T01", "fail", level="security", let_in=True), *attacks))
    assert "proofs 4 of 4 attacks with this cause were let in: 1 security, 3 hardening (T01 T02 T03 T04)" in output


def test_a_group_that_did_not_run_is_one_line_with_its_reason() -> None:
    """The reasons with the most checks come first; all of them with --verbose."""
    elsewhere = [check(f"F0{number}", "skip", actual="it runs elsewhere") for number in range(1, 4)]
    run = results(
        check("C01"), check("C40", "skip", actual="no 401"), *elsewhere, check("F92", "skip", actual="no app")
    )
    lines = shown(run).splitlines()
    assert [line for line in lines if line.startswith("skip")] == [
        "skip  F (all 4; 3 for this reason, 1 for others: --verbose): it runs elsewhere",
        "skip  C40: no 401",
    ]
    assert "skip  F92: no app" in shown(run, verbose=True)
    assert "skip  F (all 3): it runs elsewhere" in shown(results(check("C01"), *elsewhere))


def worst() -> Results:
    """Make the run in which every check failed, but for those that are skipped or waived for a reason of their own."""
    found = []
    for number, each in enumerate(REGISTRY.values()):
        texts = {"level": each.level, "title": each.title, "why": each.why, "fix": each.fix}
        waiver = f"ticket {number}" if number % 10 == 1 else None
        if number % 10 == 0:
            found.append(check(each.id, "skip", actual=f"reason {number}", **texts))
        else:
            found.append(check(each.id, "fail", actual="HTTP 200 " * 30, waiver=waiver, **texts))
    return replace(results(*found, signins=(signin(1003005),) * len(VARIETIES)), load=SOAK)


def test_the_worst_endpoint_fits_a_screen() -> None:
    """At most 60 lines as a terminal of 100 columns wraps them; everything with --verbose."""
    lines = [row for line in shown(worst()).splitlines() for row in range(0, max(len(line), 1), 100)]
    assert len(lines) <= 60
    everything = shown(worst(), verbose=True)
    for each in worst().checks:
        assert f" {each.id}" in everything
    for words in ("reason 340", "ticket 331"):
        assert words in everything
        assert words not in shown(worst())


def test_a_waived_failure_is_named_with_its_reason() -> None:
    """It is no finding, and it is not hidden."""
    output = shown(results(check("C01"), check("T30", "fail", waiver="ticket 4711 (until 2027-03-31)")))
    assert output.startswith("PASS  1 check passed, 1 waived")
    assert "waived  T30: ticket 4711 (until 2027-03-31)" in output
    assert "Mend it." not in output
    assert "0 of 1 passed, 1 waived" in output


def test_a_failure_says_how_to_go_on() -> None:
    """Expected, actual, why, fix, the request on one line, and the command that explains."""
    output = shown(results(check("T30", "fail", curl="curl -i " + "x" * 300)), verbose=True)
    for part in ("HTTP 401", "HTTP 200", "Because.", "Mend it.", "python -m selftest explain T30"):
        assert part in output
    assert "curl -i " + "x" * 300 + "\n" in output


def test_checks_that_hold_are_named_on_request_or_if_they_are_few() -> None:
    """With what was found; of many the short report has the number."""
    few = results(*(check(f"I{number:02}") for number in range(1, 13)))
    many = results(*(check(f"I{number:02}") for number in range(1, 14)))
    assert "ok    I12  holds I12: HTTP 401\n" in shown(few)
    assert "holds I12" not in shown(many)
    assert "holds I12" in shown(many, verbose=True)


def test_every_form_is_written_where_the_flags_say(tmp_path: Path) -> None:
    """--out makes its directory and writes all forms; --json and --junit write one each."""
    flags = arguments(
        *("--out", str(tmp_path / "a/b"), "--json", str(tmp_path / "r.json"), "--junit", str(tmp_path / "j.xml")),
        *("--html", str(tmp_path / "h.html")),
    )
    stream = io.StringIO()
    emit(EVERYTHING, flags, stream)
    assert sorted(file.name for file in (tmp_path / "a/b").iterdir()) == [
        *("junit.xml", "report.html", "report.txt", "results.json")
    ]
    assert (tmp_path / "h.html").read_text() == (tmp_path / "a/b/report.html").read_text() == page(EVERYTHING)
    assert parse((tmp_path / "r.json").read_bytes()) == EVERYTHING
    assert fromstring((tmp_path / "j.xml").read_text()).tag == "testsuites"  # noqa: S314 - our own document
    assert "FAIL" in stream.getvalue()


@pytest.mark.parametrize(
    ("flags", "place"),
    [
        (["--html", "h.html"], "h.html"),
        (["--out", "o"], "o/report.html"),
        (["--out", "o", "--html", "h"], "h"),
        ([], None),
    ],
)
def test_the_place_of_the_page_is_told_near_the_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str], place: str | None
) -> None:
    """Whoever watches the run sees where its page is, below verdict and target."""
    monkeypatch.chdir(tmp_path)
    stream = io.StringIO()
    emit(EVERYTHING, arguments(*flags), stream)
    lines = stream.getvalue().splitlines()
    assert (lines[2] == f"report  {place}") is (place is not None)
    assert lines[0].startswith("FAIL")


def test_json_on_stdout_is_nothing_else() -> None:
    """A program can read the output as it is."""
    stream = io.StringIO()
    emit(EVERYTHING, arguments("--json", "-"), stream)
    assert parse(stream.getvalue().encode()) == EVERYTHING


@pytest.mark.parametrize("flag", ["--json", "--junit", "--html", "--out"])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, flag: str) -> None:
    """The message says which file and why."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match=r"(cannot be written|cannot be made): Not a directory"):
        emit(EVERYTHING, arguments(flag, str(tmp_path / "file" / "x")), io.StringIO())


def test_provenance_names_no_key_and_no_user() -> None:
    """The endpoint is told without its query; of the machine only what numbers depend on."""
    assert target("https://a.example/api/x?code=secret", "m") == {"url": "https://a.example/api/x", "mode": "m"}
    assert set(environment()) == {"python", "platform", "processors"}
    assert tool()["name"] == "entra-selftest"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_for_terminals_and_leaves_nothing_behind() -> None:
    """A file gets no progress; a terminal's line is cleared at the end."""
    file, terminal = io.StringIO(), _Terminal()
    for stream in (file, terminal):
        with Progress(2, stream) as progress:
            progress.step("C01")
    assert file.getvalue() == ""
    assert "1/2 C01" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_progress_counts_a_wait_down_below_its_reason() -> None:
    """The reason is a line of its own, in a file too; the seconds that are left are for a terminal."""
    file, terminal = io.StringIO(), _Terminal()
    for stream in (file, terminal):
        with Progress(347, stream) as progress:
            progress.say("waiting 30 s, because …")
            progress.wait(29.6)
            progress.wait(-0.2)
    assert file.getvalue() == "waiting 30 s, because …\n"
    clear = "\r\x1b[K"
    assert terminal.getvalue() == clear + clear.join(
        ("0/347 ", "waiting 30 s, because …\n", "0/347 waiting, 30 s left", "0/347 waiting, 0 s left", "")
    )


def test_every_form_shows_what_the_app_logged() -> None:
    """Under the verdict: exception and place, the cause; of a lost sign-in also what to do."""
    run = results(check("C01", "fail", app_lines=(RAISED,)), signins=(signin(1003002, app_lines=(RAISED,)),))
    line = "503 provider_error: AttributeError at mine.py:7, 3.2 ms (token 1.9, provider 0.4)"
    for text in (shown(run), junit(run), page(run).partition("<main>")[2]):
        assert text.count(line) == 2
        assert text.count("the provider raised an exception") == 2
        assert text.count("Correct the line that is named") == 1
    assert line in page(run).partition("<main>")[0]


def test_a_token_by_the_retry_is_a_warning_with_both_times() -> None:
    """It fails no run, and no form calls it good."""
    message = (
        "the token was minted by the retry alone: attempt 1 timed out after 2,000 ms, attempt 2 answered 200 in 9 ms"
    )
    blocked = AppLine(outcome=LOOP_BLOCKED, status=None, detail="at mine.py:7", total_ms=2900)
    run = results(signins=(signin(), signin(attempts=2, warnings=(message,), app_lines=(blocked,))))
    assert run.verdict.sentence.endswith("2 of 2 sign-ins got a token (1 by the retry alone)")
    assert run.verdict.outcome == "held"
    output = shown(run)
    for part in ("WARN token minted by the retry", message, "the event loop was blocked at mine.py:7 for 2,900 ms"):
        assert part in output
    assert message in junit(run)
    assert parsed(run).get("failures") == "0"
    for part in ("minted by the retry</span>", message, "the event loop was blocked at mine.py:7 for 2,900 ms"):
        assert part in page(run)
