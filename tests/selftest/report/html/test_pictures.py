"""The pictures: sound SVG in the page's colors, a mark a call, and matplotlib kept quiet."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from selftest.report.html.load_section import no_pictures
from selftest.report.html.page import page
from selftest.report.html.pictures.canvas import SENTINELS, house_style, marks, new_figure, plot_area
from selftest.report.html.pictures.curve import CurveLine, percentile_curve
from selftest.report.html.pictures.load_figures import draw
from selftest.report.html.pictures.scales import even_ticks
from selftest.report.html.pictures.svg import inline
from selftest.report.html.pictures.timeline import MOST_MARKS, thinned
from tests.selftest.report.html import load_results, runs

ROOT = Path(__file__).parents[4]


def pictures() -> dict[str, str]:
    """Draw one of each."""
    found = {}
    for run in (runs.held(), runs.soak(), runs.steps()):
        assert run.load is not None
        drawn = draw(run.load)
        figures = [drawn.curve, drawn.timeline, drawn.rates, drawn.memory]
        for figure in figures:
            if figure is not None:
                found[str(figure.picture).split('aria-labelledby="')[1].split("-title")[0]] = str(figure.picture)
    return found


PICTURES = pictures()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_follows_the_page(name: str) -> None:
    """Every color is a variable of the page's, no font and no size is its own, and no style reaches out of it."""
    svg = PICTURES[name]
    fromstring(svg)  # noqa: S314 - our own drawing
    assert not re.search(r"(?:fill|stroke): #", svg)
    assert not any(sentinel in svg for sentinel in SENTINELS.values())
    for words in ("<style", "metadata", "font-family", "xmlns", "DejaVu", "<!DOCTYPE", "<?xml"):
        assert words not in svg
    assert set(re.findall(r"var\(--(\w+)\)", svg)) <= set(SENTINELS)
    assert all(found.startswith(f"{name}-") for found in re.findall(r'id="([^"]+)"', svg))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= set(re.findall(r'id="([^"]+)"', svg))


def test_a_mark_stands_where_its_value_is() -> None:
    """The middle of the axes is the middle of the picture."""
    with house_style():
        figure = new_figure(100, 60)
        axes = plot_area(figure, left=0, right=0, top=0, bottom=0)
        axes.set_xlim(0, 10)
        axes.set_ylim(0, 10)
        marks(axes, [(5, 5)], shape="dot", role="bad")
    assert "M 50 30 L 50.01 30" in inline(figure, name="n", title="t", description="d")


def test_the_curve_gives_each_nine_the_same_room() -> None:
    """From 90 % to 99 % is as far as from 99 % to 99.9 %."""
    shares = [0.0, 0.5, 0.9, 0.99, 0.999, 1.0]
    line = CurveLine(points=[(share, 10 * (1 + share)) for share in shares], calls=10_000)
    svg = percentile_curve([line], 2000, name="n", description="d")
    places = {label: float(x) for x, label in re.findall(r'x="([\d.]+)"[^>]*>([\d.]+ %)<', svg)}
    assert places["99 %"] - places["90 %"] == pytest.approx(places["99.9 %"] - places["99 %"], abs=0.1)


@pytest.mark.parametrize(
    "points",
    [
        [(1.0, 5.0)],
        [(0.0, 0.0), (1.0, 0.0)],
        [(0.0, 1.0), (0.5, 1.0), (1.0, 1.0)],
        [(0.0, 0.001), (0.999999, 9_999.0), (1.0, 1e7)],
    ],
)
def test_odd_curves_are_drawn(points: list[tuple[float, float]]) -> None:
    """One call, no time at all, one value, seven decades: all are pictures."""
    assert "<path" in percentile_curve([CurveLine(points=points, calls=1)], 2000, name="n", description="d")


def test_thinning_keeps_what_matters() -> None:
    """Of each outcome at most so many marks, the slowest among them; few are kept whole."""
    made = load_results.points(20_000, 100, failed=0.01)
    kept = thinned(made)
    totals = Counter(point.outcome for point in made)
    assert len(kept["in-budget"]) <= MOST_MARKS + 1
    assert max(p.latency_ms for p in made if p.outcome == "in-budget") in {p.latency_ms for p in kept["in-budget"]}
    assert len(kept["failed"]) == totals["failed"]


@pytest.mark.parametrize("end", [0.001, 0.3, 1, 7, 60, 99.9, 1412.0, 86_400, 5e6, 2.0**64])
def test_ticks_are_few_and_round(end: float) -> None:
    """From two to six, from zero, evenly, and not beyond the end."""
    ticks = even_ticks(end)
    assert 2 <= len(ticks) <= 6
    assert ticks[0] == 0
    assert ticks[-1] <= end * 1.000001


def run_python(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, where every warning is an error."""
    return subprocess.run(  # noqa: S603 - this Python, and code of ours
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env={**os.environ, **environ},
        check=False,
        capture_output=True,
        text=True,
    )


DRAW = (
    "from selftest.report.html.page import page; from tests.selftest.report.html import runs; page(runs.only_load()); "
)


def test_matplotlib_touches_nothing_of_the_users(tmp_path: Path) -> None:
    """A home that cannot be written to is no matter, nothing is said, and nothing is left behind."""
    settings = tmp_path / "matplotlibrc"
    settings.write_text("axes.facecolor: red\nno.such.setting: 1\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = run_python(
        DRAW + "import os; print(os.environ['MPLCONFIGDIR'], 'MPL_IGNORE_SYSTEM_FONTS' in os.environ)",
        HOME="/dev/null",
        TMPDIR=str(scratch),
        MPLCONFIGDIR=str(tmp_path),
        MATPLOTLIBRC=str(settings),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(tmp_path), "False"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["matplotlibrc", "scratch"]
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(
    ("code", "imported"),
    [
        ("import selftest.cli; selftest.cli.parser(); ", "False"),
        (DRAW.replace("only_load", "nothing"), "False"),
        (DRAW, "True"),
    ],
)
def test_matplotlib_is_imported_for_a_picture_only(code: str, imported: str) -> None:
    """Half a second is not spent on `--help`, nor on a page without a picture."""
    done = run_python(code + "import sys; print('matplotlib' in sys.modules)")
    assert (done.stdout.strip(), done.stderr) == (imported, "")


def test_a_load_is_judged_without_matplotlib(tmp_path: Path) -> None:
    """The page says why it has no figures, has everything else, and the verdict is the same."""
    file = tmp_path / "page.html"
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import argparse; from selftest.report.compare import compare\n"
        "from selftest.report.html.comparison_page import comparison_page\n"
        "from selftest.report.outputs import emit; from tests.selftest.report.html import runs\n"
        "import pathlib\n"
        f"html = pathlib.Path({str(file)!r})\n"
        "emit(runs.held(), argparse.Namespace(json=None, junit=None, html=html, out=None, verbose=False))\n"
        "assert 'matplotlib is not installed' in comparison_page(compare(runs.held(), runs.failing()))"
    )
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")
    assert runs.held().verdict.sentence in done.stdout
    html = file.read_text()
    assert "The figures are not drawn because matplotlib is not installed. No verdict depends on it." in html
    assert "<svg" not in html
    assert html.count('role="img"') == 4
    assert "matplotlib" not in page(runs.held())


def test_another_missing_module_is_an_error() -> None:
    """Only matplotlib may be missing."""
    with pytest.raises(ModuleNotFoundError, match="numpy"):
        no_pictures(ModuleNotFoundError("No module named 'numpy'", name="numpy"))
