"""Write the report of one run as one page of HTML."""

from selftest.judge.app_cause import explained
from selftest.report.check_groups import groups, skips
from selftest.report.families import findings
from selftest.report.html.fault_table import POLICIES, fault_rows
from selftest.report.html.headline import headline, tiles
from selftest.report.html.load_section import load_section, validity_words
from selftest.report.html.templates import render
from selftest.report.load_result import LoadResult
from selftest.report.results import Results


def page(results: Results) -> str:
    """Return the page; the same results give the same text."""
    return render(
        "report.html.jinja",
        results=results,
        headline=headline(results.verdict),
        why=_why(results),
        tiles=tiles(results),
        findings=findings(results.checks),
        waived=[check for check in results.checks if check.waiver is not None],
        skips=skips(results.checks),
        groups=groups(results.checks),
        policies=POLICIES,
        fault_rows=fault_rows(results.checks),
        **_load(results.load),
    )


def _why(results: Results) -> list[tuple[str, str]]:
    """Return what the app logged about the worst finding that it says something about, or about a lost sign-in."""
    logged = [check.app_lines for finding in findings(results.checks) for check in finding.checks]
    logged += [signin.app_lines for signin in results.signins]
    return explained(next(filter(None, logged), ()))


def _load(load: LoadResult | None) -> dict[str, object]:
    if load is None:
        return {"load": None, "drawn": None, "validity": None}
    return {"load": load, "drawn": load_section(load), "validity": validity_words(load)}
