"""The report of one run as one page of HTML."""

from selftest.report.html.check_groups import failures, groups, skips
from selftest.report.html.fault_table import POLICIES, fault_rows
from selftest.report.html.headline import headline, tiles
from selftest.report.html.templates import render
from selftest.report.results import Results


def page(results: Results) -> str:
    """Write the page; the same results give the same text."""
    return render(
        "report.html.jinja",
        results=results,
        headline=headline(results.verdict),
        tiles=tiles(results),
        failures=failures(results.checks),
        skips=skips(results.checks),
        groups=groups(results.checks),
        policies=POLICIES,
        fault_rows=fault_rows(results.checks),
        **_load(results),
    )


def _load(results: Results) -> dict[str, object]:
    if results.load is None:
        return {"load": None, "drawn": None, "validity": None}
    from selftest.report.html.load_section import (  # noqa: PLC0415 - imports matplotlib: only where there is a picture
        load_section,
        validity_words,
    )

    return {"load": results.load, "drawn": load_section(results.load), "validity": validity_words(results.load)}
