"""Write the comparison of two runs as one page of HTML."""

from markupsafe import Markup

from selftest.report.compare import RunComparison
from selftest.report.compare_console import figure_text
from selftest.report.html.load_section import no_pictures
from selftest.report.html.templates import render
from selftest.report.load_result import LoadResult


def comparison_page(comparison: RunComparison) -> str:
    """Return the page; the same results give the same text."""
    word, _, sentence = comparison.sentence.partition("  ")
    curves, missing = _curves(comparison.a.load, comparison.b.load)
    return render(
        "comparison.html.jinja",
        comparison=comparison,
        word=word,
        sentence=sentence,
        tone="bad" if comparison.exit_code else "good",
        figures=[
            (figure.name, figure_text(figure.a, figure.unit), figure_text(figure.b, figure.unit), figure.ratio)
            for figure in comparison.figures
        ],
        curves=curves,
        missing=missing,
    )


def _curves(a: LoadResult | None, b: LoadResult | None) -> tuple[Markup | None, str]:
    """Return both curves in one picture with the budget of the run to judge, or why it cannot be drawn."""
    if a is None or b is None or not a.curve or not b.curve:
        return None, ""
    try:
        from selftest.report.html.pictures.curve import (  # noqa: PLC0415 - imports matplotlib
            CurveLine,
            percentile_curve,
        )
    except ModuleNotFoundError as error:
        return None, no_pictures(error)
    lines = [
        CurveLine(points=a.curve, calls=a.counts.signins - a.counts.dropped, role="muted", label="A"),
        CurveLine(points=b.curve, calls=b.counts.signins - b.counts.dropped, label="B"),
    ]
    words = "How long the slowest tenth, hundredth and thousandth of the calls took, in both runs."
    return percentile_curve(lines, b.config.budget_ms, name="curves", description=words), ""
