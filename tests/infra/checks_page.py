"""``python -m tests.infra.checks_page``: the page that says what finds which mistake; `make docs` writes it."""

import sys
from collections.abc import Iterator
from itertools import groupby

from tests.infra.compiler_mistakes import COMPILER_MISTAKES
from tests.infra.mistake import Mistake
from tests.infra.our_mistakes import OUR_MISTAKES
from tests.infra.rules import RULES

_INTRODUCTION = """\
# What checks the deployment files

Generated from `tests/infra/` by `make docs`. The tests plant each mistake below in a copy of this checkout, and the
rule in its row has to find it; the files as they are give no finding.

Bicep's own compiler judges every Bicep file: `build` with its linter ([bicepconfig.json](../infra/bicepconfig.json)),
where a warning counts as an error, and `snapshot` for each plan, which evaluates the deployment on this machine. The
tests find the compiler by the variable `BICEP`, on the PATH, or where `az bicep install` and azd put it; without one
they are skipped, and say how to get it. Kusto queries are judged by Microsoft's own parser
(`npm ci --prefix tests/kusto`), `azure.yaml` by azd's published schema (`AZD_SCHEMA` names the file).

None of this finds what Azure itself refuses: a quota, a name that is taken, a plan that a region does not offer. Before
the first deployment run `azd provision --preview`.
"""


def page() -> str:
    """Return the page."""
    return "\n".join([_INTRODUCTION, *_compiler(), "", *_ours(), ""])


def _compiler() -> Iterator[str]:
    yield f"## Found by the compiler ({len(COMPILER_MISTAKES)})\n"
    yield "Its rules are general: each knows every file and every published type.\n"
    yield "| rule | mistakes that are planted |\n|---|---|"
    for rule, names in _by_rule(COMPILER_MISTAKES):
        family = "core" if rule.startswith("BCP") else "linter"
        yield f"| [{rule}](https://aka.ms/bicep/{family}-diagnostics#{rule}) | {names} |"


def _ours() -> Iterator[str]:
    yield f"## Found by our rules ({len(OUR_MISTAKES)})\n"
    yield "The compiler reports none of these. Each rule finds at least two different mistakes of its kind.\n"
    yield "| rule | what it requires | mistakes that are planted |\n|---|---|---|"
    for rule, names in _by_rule(OUR_MISTAKES):
        yield f"| {rule} | {RULES[rule].__doc__} | {names} |"


def _by_rule(mistakes: tuple[Mistake, ...]) -> Iterator[tuple[str, str]]:
    ordered = sorted(mistakes, key=lambda mistake: mistake.rule)
    for rule, group in groupby(ordered, key=lambda mistake: mistake.rule):
        yield rule, "; ".join(mistake.name for mistake in group)


if __name__ == "__main__":
    sys.stdout.write(page())
