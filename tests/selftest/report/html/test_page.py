"""The page: the verdict first, only what the run has, sound markup, nothing from elsewhere, always the same bytes."""

import hashlib
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from selftest.checks import REGISTRY
from selftest.judge.app_line import AppLine
from selftest.judge.statement import LEVELS
from selftest.report.families import findings
from selftest.report.html.headline import headline
from selftest.report.html.page import page
from selftest.report.load_result import CauseInLog
from selftest.report.results import Results
from tests.selftest.report.html import load_results, runs
from tests.selftest.report.html.markup import Page, read

ROOT = Path(__file__).parents[4]
#: In the order of the page.
SECTIONS = (
    "findings",
    "waived",
    "validity",
    "load",
    "phases",
    "rates",
    "cold",
    "memory",
    "faults",
    "signins",
    "checks",
    "environment",
)
PICTURES = {"budget-bar", "curve", "timeline", "phases-1", "phases-2", "rates", "cold-starts", "memory"}

every_run = pytest.mark.parametrize("make", runs.ALL.values(), ids=runs.ALL)


def section_ids(parsed: Page) -> list[str]:
    """Name the sections of a page."""
    return [section["aria-labelledby"] for section in parsed.all("section")]


def pictures(parsed: Page) -> set[str]:
    """Name the pictures of a page."""
    return {
        image["id"] if image.tag == "div" else image["aria-labelledby"].removesuffix("-title")
        for image in parsed.elements
        if image.attributes.get("role") == "img"
    }


@pytest.mark.parametrize(
    ("make", "left_out"),
    [
        (runs.held, {"findings", "waived", "rates", "memory"}),
        (runs.failing, {"waived", "rates", "memory"}),
        (runs.invalid, {"findings", "waived", "rates", "memory", "faults", "signins", "checks"}),
        (runs.soak, {"findings", "waived", "rates", "faults", "checks"}),
        (runs.steps, {"findings", "waived", "cold", "memory", "faults", "signins", "checks"}),
        (runs.only_checks, {"validity", "findings", "waived", "load", "phases", "rates", "cold", "memory", "signins"}),
        (runs.broken_from_the_start, set(SECTIONS) - {"validity", "load", "environment"}),
        (runs.dead, set(SECTIONS) - {"validity", "load", "environment"}),
        (runs.nothing, set(SECTIONS) - {"validity", "environment"}),
    ],
)
def test_sections_without_data_are_left_out(make: Callable[[], Results], left_out: set[str]) -> None:
    """What there is stands in one order, and nothing is empty."""
    assert section_ids(read(runs.written(make))) == [name for name in SECTIONS if name not in left_out]


def test_pictures_are_drawn_from_what_there_is() -> None:
    """Each picture needs its figures."""
    assert pictures(read(runs.written(runs.held))) == PICTURES - {"rates", "memory"}
    assert pictures(read(runs.written(runs.soak))) == PICTURES - {"rates"}
    assert pictures(read(runs.written(runs.steps))) == PICTURES - {"cold-starts", "memory"}
    assert pictures(read(runs.written(runs.broken_from_the_start))) == {"timeline"}
    assert pictures(read(runs.written(runs.dead))) == {"timeline"}
    assert pictures(read(runs.written(runs.only_checks))) == set()


def test_an_interrupted_load_without_a_call_is_a_page() -> None:
    """A run may be stopped before its first answer: there is nothing to draw, and that is no error."""
    load = runs.only_load().load
    assert load is not None
    nothing: dict[str, object] = {
        "latency": None,
        "failed_latency": None,
        "endings": {},
        "service": None,
        "lateness": None,
        "outcomes": {},
    }
    nothing |= {"curve": (), "points": (), "slices": (), "phases": (), "cold_starts": ()}
    empty = replace(load, **nothing)  # type: ignore[arg-type] # the fields of LoadResult
    assert pictures(read(page(replace(runs.interrupted(), load=empty)))) == set()


@every_run
def test_markup_is_sound(make: Callable[[], Results]) -> None:
    """Tags nest, ids are unique and lead somewhere, headings go down one step at a time, from one at the top."""
    parsed = read(runs.written(make))
    ids = [element["id"] for element in parsed.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    named = {
        name
        for element in parsed.elements
        for attribute in ("aria-labelledby", "aria-describedby")
        for name in (element.attributes.get(attribute) or "").split()
    }
    assert named <= set(ids)
    levels = [int(element.tag[1]) for element in parsed.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert [element.tag for element in parsed.all("header", "main", "footer")] == ["header", "main", "footer"]


@every_run
def test_every_picture_has_its_text(make: Callable[[], Results]) -> None:
    """A picture has a name and a description, and stands in a figure."""
    html = runs.written(make)
    parsed = read(html)
    for svg in parsed.all("svg"):
        assert svg["role"] == "img"
        for name in (svg["aria-labelledby"], svg["aria-describedby"]):
            assert re.search(rf'id="{name}">[^<]{{8,}}<', html)
    bars = [bar for bar in parsed.all("div") if bar.attributes.get("role") == "img"]
    assert all(len(bar["aria-label"]) > 20 for bar in bars)
    assert len(parsed.all("figure")) == len(parsed.all("svg")) + len(bars)


@every_run
def test_nothing_comes_from_elsewhere(make: Callable[[], Results]) -> None:
    """No script, no address but in text, and a policy that lets nothing be fetched."""
    html = runs.written(make)
    parsed = read(html)
    assert {element.tag for element in parsed.elements} & {"script", "link", "img", "iframe", "object", "base"} == set()
    for element in parsed.elements:
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            if name in {"href", "src", "action"} or "url(" in (value or ""):
                assert (value or "").removeprefix("url(").startswith("#")
    policy = next(meta for meta in parsed.all("meta") if "http-equiv" in meta.attributes)
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


@every_run
def test_the_page_is_small_enough_to_send(make: Callable[[], Results]) -> None:
    """A run of every check with its pictures goes into a mail."""
    assert len(runs.written(make).encode()) < 400_000


def test_the_budget_has_its_label_where_it_is() -> None:
    """A slowest call of 10 s puts the budget at a fifth of the bar, and the label there, too."""
    html = page(runs.failing())
    assert 'class="limit" style="width: 20.00%"' in html
    assert 'class="at" style="padding-left: min(20.00%,' in html
    assert ">Entra's timeout 2,000 ms</span></p>" in html


def test_the_legend_counts_calls() -> None:
    """Not the marks, of which a long run has fewer than calls."""
    load = runs.only_load().load
    assert load is not None
    long = replace(load, endings={"in-budget": 71_234, "late": 66})
    html = page(replace(runs.only_load(), load=long))
    assert re.search(r"in time <b>71,234</b>.*late <b>66</b>", html, re.DOTALL)


def test_what_the_app_logged_stands_with_the_codes() -> None:
    """The line, with how many calls had one like it, as text."""
    load = runs.only_load().load
    assert load is not None
    line = AppLine(outcome="provider_error", status=503, detail="AttributeError at <b>mine.py:7")
    text = read(page(replace(runs.only_load(), load=replace(load, causes=(CauseInLog(calls=7, line=line),))))).text
    assert "7 calls 503 provider_error: AttributeError at <b>mine.py:7" in " ".join(text.split())


def test_many_calls_make_no_large_page() -> None:
    """A hundred times the calls are not a hundred times the marks, and the page says that some are not drawn."""
    made = load_results.points(60_000, 3000, slow=0.1, failed=0.1)
    html = page(runs.run(measured=load_results.load(made, load_results.config(duration_s=3000))))
    assert len(html.encode()) < 400_000
    assert "of 60,000 calls are drawn" in html


def test_the_same_results_give_the_same_bytes() -> None:
    """Neither the time, nor the process, nor the order of hashes is in the page."""
    digest = hashlib.sha256(page(runs.failing()).encode()).hexdigest()
    code = (
        "import hashlib; from selftest.report.html.page import page; from tests.selftest.report.html import runs; "
        "print(hashlib.sha256(page(runs.failing()).encode()).hexdigest())"
    )
    environ = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, check=True, capture_output=True)  # noqa: S603 - ours
    assert other.stdout.decode().strip() == digest


def test_the_verdict_is_told_as_everywhere() -> None:
    """The headline is the word and the reason; the console's sentence is below it, and in the title."""
    html = runs.written(runs.failing)
    word, _, sentence = runs.failing().verdict.sentence.partition("  ")
    assert f"<title>{word}: {sentence}</title>" in html
    reason = "2 of 39 token attacks (level sign-in and security) were let in"
    assert f'<span class="word">FAIL</span> <span>{reason}</span></h1>' in html
    assert sentence.startswith("2 of 39 token attacks (level sign-in and security; ")
    assert f'<p class="figures">{sentence}</p>' in html


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (runs.held(), f"{len(REGISTRY) - 4} checks passed"),
        (runs.interrupted(), "40 checks passed"),
        (runs.run(runs.checks(failing=frozenset({"T30", "T31"}))), "anybody gets claims"),
        (runs.run(runs.checks(failing=frozenset({"C01"}))), "1 sign-in check failed"),
        (runs.run(runs.checks(failing=frozenset({"B22"})), runs.signins(lost=True)), "6 of 7 sign-ins got a token"),
        (runs.run(runs.checks(skipped=frozenset(REGISTRY))), "nothing was tested"),
        (runs.dead(), "threshold p95<300 crossed"),
    ],
)
def test_the_headline_is_the_reason(run: Results, reason: str) -> None:
    """What failed, and not how much passed; the figures below leave nothing out."""
    shown = headline(run.verdict)
    assert shown.reason == reason
    assert shown.figures == re.sub(rf"^{re.escape(reason)}[,;:] ", "", shown.sentence)


def test_skipped_checks_are_folded_below_what_was_found() -> None:
    """Every reason is there, closed; a run that tested nothing opens it."""
    html = runs.written(runs.failing)
    assert html.index('id="findings"') < html.index('id="validity"') < html.index('<details class="skipped">')
    assert "2 skipped, 1 reason<" in html
    assert '<details class="skipped" open>' in page(runs.run(runs.checks(skipped=frozenset(REGISTRY))))


def test_a_failure_says_how_to_go_on() -> None:
    """Expected, actual, why, fix, source, the request, and the command that explains; the worst level first."""
    run = runs.failing()
    text = read(page(run)).text
    found = findings(run.checks)
    for finding in found:
        check = finding.checks[0]
        assert f"python -m selftest explain {check.id}" in text
        for words in (check.expected, check.actual, check.why, finding.fix, check.source, check.curl or ""):
            assert words in text
    places = [text.index(f"explain {finding.checks[0].id}") for finding in found]
    assert places == sorted(places)
    assert [finding.checks[0].level for finding in found][-1] == "hardening"


def test_a_family_is_one_card_with_its_proofs() -> None:
    """T30 and T31 prove one finding; their ids stand in its card."""
    text = " ".join(read(runs.written(runs.failing)).text.split())
    assert text.count("anybody gets claims") == 1
    assert re.search(r"proofs\s*2 of \d+ attacks with this cause were let in: 2 security \(T30 T31\) expected", text)
    assert re.search(r"attacks let in\s*2 of \d+\s*level sign-in and security: answered with 200", text)


def test_a_level_is_a_word_with_a_tone_of_its_own() -> None:
    """Each level has a class and a color."""
    html = runs.written(runs.failing)
    style = html[: html.index("</style>")]
    tones = {level: re.search(rf"\.{level} {{ --tone: var\((--\w+)\); }}", style) for level in LEVELS}
    assert len({tone[1] for tone in tones.values() if tone}) == len(LEVELS)
    assert '<span class="level security">security</span>' in html


def test_what_is_waived_is_told_apart() -> None:
    """It is in a section of its own, with its reason, and no finding."""
    run = runs.failing()
    waived = tuple(replace(check, waiver="ticket 4711") if check.id == "C01" else check for check in run.checks)
    html = page(replace(run, checks=waived))
    section = html[html.index('<section aria-labelledby="waived">') :]
    section = section[: section.index("</section>")]
    assert "C01" in section
    assert "ticket 4711" in section
    assert "explain C01" not in html
    assert '<span class="sr">waived</span>' in html
    assert "1 waived" in html


def test_a_skip_names_the_check_that_it_follows_from() -> None:
    """A refused valid call explains everything that was not played."""
    skipped = replace(runs.checks()[0], status="skip", actual="the valid call is refused", cause="C01")
    assert "the valid call is refused (follows from C01)" in read(page(runs.run((skipped,)))).text


def test_an_invalid_run_says_what_to_change() -> None:
    """Not valid is neither good nor bad, and comes with the way to a run that is."""
    text = " ".join(read(runs.written(runs.invalid)).text.split())
    for words in (
        "No: the load run is not valid and proves nothing",
        "within 63 ms; limit: 25 ms",
        "Lower --rate",
        "259 more calls",
    ):
        assert words in text


def test_the_fault_table_has_every_fault_and_policy() -> None:
    """One row a fault, one column a policy; what fails is marked."""
    html = runs.written(runs.failing)
    table = html[html.index('<table class="faults">') :]
    table = table[: table.index("</table>")]
    assert table.count("<tr>") == 1 + 21
    assert table.count("failed</span>") == 3
    assert table.count("passed</span>") == 60
    row = next(row for row in table.split("<tr>") if "the API never answers" in row)
    assert [("failed" in cell) for cell in row.split("<td")[1:]] == [True, True, False]


def test_numbers_of_the_load_are_shown() -> None:
    """The figures of the console stand in the page, too."""
    run = runs.failing()
    load = run.load
    assert load is not None
    html = page(run)
    assert f'sign-ins lost under load</dt><dd class="value">{load.counts.lost} of 1,200</dd>' in html
    assert f'1003002</th><td class="seen">CustomExtensionInvalidHTTPStatus</td><td class="number">{13}</td>' in html
    for phase in load.phases:
        assert f"{phase.name}</th>" in html
