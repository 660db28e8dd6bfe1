"""Two runs side by side: what counts as worse, what changed in which order, and what else may explain it."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from selftest.judge.statement import Status
from selftest.report.compare import FigureChange, compare
from selftest.report.compare_console import show_comparison
from selftest.report.html.comparison_page import comparison_page
from selftest.report.results import CheckResult, Results
from tests.selftest.report.html import load_results, runs
from tests.selftest.report.html.markup import read
from tests.selftest.report.sample import check, results, signin


def shown(a: Results, b: Results) -> list[str]:
    """Print a comparison to a file."""
    stream = io.StringIO()
    show_comparison(compare(a, b), Console(file=stream, width=120, color_system=None, highlight=False))
    return stream.getvalue().rstrip().splitlines()


@pytest.mark.parametrize(
    ("before", "after", "kind", "exit_code"),
    [
        (check("T30"), check("T30"), None, 0),
        (check("T30"), check("T30", "fail"), "newly failing", 1),
        (check("T30"), check("T30", "error"), "newly failing", 1),
        (check("T30", level="hardening"), check("T30", "fail", level="hardening"), "newly failing", 0),
        (check("T30", "fail"), check("T30", "fail"), None, 0),
        (check("T30", "error"), check("T30", "fail"), None, 0),
        (check("T30", "fail"), check("T30"), "newly passing", 0),
        (check("T30", "fail"), check("T30", "skip"), "no longer run", 0),
        (check("T30"), check("T30", "skip"), "no longer run", 0),
        (check("T30", "skip"), check("T30"), "run again", 0),
        (check("T30", "skip"), check("T30", "fail"), "newly failing", 0),
        (check("T30", "fail"), check("T30", "fail", waiver="known"), "newly waived", 0),
        (check("T30", "fail", waiver="known"), check("T30", "fail", waiver="known"), None, 0),
        (check("T30", "fail", waiver="known"), check("T30", "fail"), "newly failing", 0),
        (check("T30", "fail", waiver="known"), check("T30"), "newly passing", 0),
        (None, check("T30"), "new", 0),
        (None, check("T30", "fail"), "newly failing", 0),
        (check("T30"), None, "gone", 0),
    ],
)
def test_a_change_has_its_kind(
    before: CheckResult | None, after: CheckResult | None, kind: str | None, exit_code: int
) -> None:
    """Only what counts, passed and no longer does makes the later run worse."""
    comparison = compare(results(*filter(None, [before])), results(*filter(None, [after])))
    assert [change.kind for change in comparison.changes] == [kind for kind in [kind] if kind]
    assert comparison.exit_code == exit_code
    assert comparison.sentence.startswith("WORSE  " if exit_code else "NO WORSE  ")


def test_a_kind_of_sign_in_that_is_lost_is_worse() -> None:
    """No token is as bad as a failed check; the other way round it is an improvement."""
    minted, lost = results(signins=(signin(),)), results(signins=(signin(1003005),))
    assert (compare(minted, lost).exit_code, compare(minted, lost).worse) == (1, ("member",))
    assert [change.kind for change in compare(lost, minted).changes] == ["newly passing"]
    assert compare(lost, minted).exit_code == 0


def test_changes_are_told_worst_first() -> None:
    """What fails now stands on top, what is only new or gone at the end."""

    def statuses(*given: tuple[str, Status]) -> Results:
        return results(*(check(check_id, status) for check_id, status in given))

    a = statuses(("C01", "pass"), ("C02", "fail"), ("C03", "skip"), ("C04", "pass"), ("C05", "pass"))
    b = statuses(("C00", "pass"), ("C02", "pass"), ("C03", "pass"), ("C04", "skip"), ("C05", "fail"))
    told = [(change.kind, change.id) for change in compare(a, b).changes]
    assert told == [
        ("newly failing", "C05"),
        ("newly passing", "C02"),
        ("no longer run", "C04"),
        ("run again", "C03"),
        ("new", "C00"),
        ("gone", "C01"),
    ]


def test_changes_of_one_kind_and_what_is_worse_go_by_level() -> None:
    """The levels that count are those of the later run: all of them if it was strict."""

    def run(status: Status, *, strict: bool = False) -> Results:
        levels = (("C01", "convention"), ("T01", "security"), ("T02", "hardening"), ("T03", "sign-in"))
        return results(*(check(check_id, status, level=level) for check_id, level in levels), strict=strict)

    comparison = compare(run("pass"), run("fail"))
    assert [change.id for change in comparison.changes] == ["T03", "T01", "T02", "C01"]
    assert comparison.worse == ("T03 (sign-in)", "T01 (security)")
    strict = compare(run("pass"), run("fail", strict=True)).worse
    assert strict == (*comparison.worse, "T02 (hardening)", "C01 (convention)")


def test_what_differs_about_the_runs_is_told_first() -> None:
    """Another machine or other settings may explain everything, so they stand above it."""
    before = runs.held()
    load = runs.failing().load
    assert load is not None
    elsewhere = {**before.environment, "processors": "8"}
    after = replace(before, environment=elsewhere, load=replace(load, config=load_results.config(rate_per_s=50)))
    comparison = compare(before, after)
    assert [(row.name, row.a, row.b) for row in comparison.differences] == [
        ("processors", "2", "8"),
        ("load rate_per_s", "20", "50"),
    ]
    lines = shown(before, after)
    assert lines[0].startswith("NO WORSE")
    assert lines.index("the runs were made under different conditions: compare with care") < lines.index("under load")


def test_the_port_of_this_machine_is_no_difference() -> None:
    """The local app listens on another port each time; another host is another endpoint."""

    def at(url: str) -> Results:
        return replace(results(check("C01")), target={"url": url, "mode": "m"})

    assert not compare(at("http://127.0.0.1:1/api"), at("http://127.0.0.1:2/api")).differences
    assert compare(at("https://a.example:1/api"), at("https://a.example:2/api")).differences
    assert compare(at("http://[no url"), at("")).differences


def test_figures_are_compared_by_their_ratio() -> None:
    """How many times as much; where there was nothing before there is no such number."""
    assert FigureChange(name="n", unit="ms", a=100.0, b=250.0).ratio == 2.5
    assert FigureChange(name="n", unit="ms", a=0.0, b=1.0).ratio is None
    assert FigureChange(name="n", unit="ms", a=None, b=1.0).ratio is None
    figures = {figure.name: figure for figure in compare(runs.held(), runs.failing()).figures}
    assert (figures["sign-ins lost"].a, figures["sign-ins lost"].b) == (0, 5)
    assert not compare(runs.only_checks(), runs.only_checks()).figures
    one_sided = {figure.name: figure for figure in compare(runs.only_checks(), runs.held()).figures}
    assert one_sided["99 %"].a is None


def test_an_invalid_load_is_named() -> None:
    """Figures of a run that proves nothing are not compared in silence."""
    assert compare(runs.invalid(), runs.held()).invalid == ("A",)
    assert any(line.startswith("the load of A is not valid") for line in shown(runs.invalid(), runs.held()))


def test_a_long_list_is_cut_in_the_sentence_only() -> None:
    """The headline stays readable; the changes name them all."""
    ids = [f"C{number:02d}" for number in range(1, 13)]
    before = results(*(check(check_id) for check_id in ids))
    after = results(*(check(check_id, "fail") for check_id in ids))
    comparison = compare(before, after)
    assert comparison.sentence.endswith("C07 (sign-in), C08 (sign-in) and 4 more")
    assert len(comparison.worse) == len(comparison.changes) == 12


def test_the_page_shows_both_runs_in_one_picture() -> None:
    """Two curves with their letters; without figures of both there is no picture."""
    html = comparison_page(compare(runs.held(), runs.failing()))
    parsed = read(html)
    assert [svg["aria-labelledby"] for svg in parsed.all("svg")] == ["curves-title"]
    for words in (">A<", ">B<", "newly failing", runs.held().verdict.sentence.split("  ")[1]):
        assert words in html
    assert not read(comparison_page(compare(runs.only_checks(), runs.held()))).all("svg")
    assert html == comparison_page(compare(runs.held(), runs.failing()))
