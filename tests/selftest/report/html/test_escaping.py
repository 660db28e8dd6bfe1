"""Whatever an endpoint answers is text on the page: it makes no element, no attribute, and turns no reading."""

import functools
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selftest.report.compare import compare
from selftest.report.html.comparison_page import comparison_page
from selftest.report.html.page import page
from selftest.report.results import Results
from tests.selftest.report.html import load_results, runs
from tests.selftest.report.html.hostile import CONTROLS, MARKUP, with_text
from tests.selftest.report.html.markup import Page, read

DANGEROUS = st.text(alphabet=st.sampled_from("<>&\"'=/ -!;{}%#\\\x00\r\n\u2028\u202eaA1sS"), max_size=40)


@functools.cache
def small() -> Results:
    """Make a run with something in every section, and few of each."""
    run = runs.failing()
    chosen = {"C01", "C95", "F03", "F33", "F04", "T30", "B22", "T01"}
    load = runs.steps().load
    soak = runs.soak().load
    invalid = runs.invalid().load
    assert load is not None
    assert soak is not None
    assert invalid is not None
    everything = replace(
        load,
        points=load.points[:30],
        faults=invalid.faults,
        memory=soak.memory[:3],
        drift=soak.drift,
        cold_starts=load_results.COLD_STARTS,
        outcomes={"minted": 3, "1003002": 1},
    )
    return replace(run, checks=tuple(check for check in run.checks if check.id in chosen), load=everything)


@functools.cache
def harmless() -> Page:
    """Read the page of the same run with a plain word in the places."""
    return read(page(with_text(small(), "x")))


@settings(max_examples=10, deadline=None)
@example(text=MARKUP + CONTROLS)
@given(text=st.one_of(DANGEROUS, st.text(max_size=30), st.sampled_from([MARKUP, CONTROLS, MARKUP + CONTROLS])))
def test_no_text_makes_markup(text: str) -> None:
    """With any text in every place, the page has the elements and attributes that it has with none."""
    assert read(page(with_text(small(), "x" + text))).shape == harmless().shape


@settings(max_examples=6, deadline=None)
@example(text=MARKUP)
@example(text=CONTROLS)
@given(text=st.one_of(DANGEROUS, st.sampled_from([MARKUP, CONTROLS])))
def test_no_text_makes_markup_in_a_comparison(text: str) -> None:
    """The same holds for two runs side by side."""

    def shape(added: str) -> list[tuple[str, tuple[str, ...]]]:
        before, after = with_text(runs.only_load(), added), with_text(small(), added)
        return read(comparison_page(compare(before, after))).shape

    assert shape("x" + text) == shape("x")


@pytest.mark.parametrize("character", [c for c in CONTROLS if not c.isascii() or not c.isprintable()])
def test_no_character_turns_the_reading(character: str) -> None:
    """Direction marks, escape sequences and lone surrogates are written out."""
    html = page(with_text(small(), f"before{character}after"))
    assert character not in html
    assert f"before{character.encode('unicode_escape').decode()}after" in html
    html.encode()


def test_no_text_of_a_run_is_in_a_picture() -> None:
    """The pictures are the same whatever the texts are."""

    def drawn(html: str) -> list[str]:
        return [part.split("</svg>")[0] for part in html.split("<svg")[1:]]

    plain = drawn(page(small()))
    assert plain
    assert drawn(page(with_text(small(), MARKUP))) == plain


def test_templates_are_not_filled_from_texts() -> None:
    """A text in the templates' own syntax is shown, not run."""
    assert "{{ 7 * 7 }}" in read(page(with_text(small(), MARKUP))).text
