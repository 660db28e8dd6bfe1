"""The names that docs/compatibility.md promises, read from the code, and their record in ``promised.json``.

``python -m tests.compatibility.promised`` records new names under the version of the tool. A name that was promised
stays in the record, whatever the code says: the test then fails until the name is back.
"""

import argparse
import ast
import contextlib
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

from selftest import __version__
from selftest.base import cannot_run
from selftest.checks import REGISTRY
from selftest.cli import parser
from selftest.commands.explain import statements
from selftest.judge.codes import CODES
from selftest.judge.explain import of_check, of_code
from selftest.tenant.doctor.registry import TENANT_STATEMENTS
from selftest.tenant.signin_log.outcomes import OUTCOMES, explained
from tests.checkout import ROOT

#: Names by kind.
type Names = Mapping[str, Collection[str]]
#: Names by kind, then by the version that first promised them.
type Record = dict[str, dict[str, list[str]]]

RECORD: Final = Path(__file__).with_name("promised.json")
_SETTING: Final = re.compile(r"\b(?:AuthenticationEvents|Claims)__\w*[A-Za-z0-9]\b")
#: The modules whose literals are the members of what a command prints with --json.
_PRINTED: Final[Mapping[str, tuple[str, ...]]] = {
    "doctor": ("tenant/doctor/outputs", "tenant/doctor/diagnosis"),
    "judge": ("judge/verdict", "judge/warnings"),
    "signin": ("play/sign_in_text",),
    "signin-log": ("tenant/signin_log/report_forms",),
    "token": ("tenant/direct_call/text",),
}


def promised() -> Names:
    """Return every promised name, by kind, as the code has it now."""
    return {
        "settings": _settings(),
        "members of the log line": _log_members(),
        "outcomes of the log line": OUTCOMES.keys(),
        "members of results.json": set(_schema_members()),
        **{f"members of {name} --json": _printed(paths) for name, paths in _PRINTED.items()},
        "members of explain --json": _explained(),
        "exit codes": {f"{code} {name}" for name, code in vars(cannot_run).items() if isinstance(code, int)},
        "checks": REGISTRY.keys(),
        "statements of the doctor": TENANT_STATEMENTS.keys(),
        "commands and flags": set(_commands()),
    }


def recorded() -> Record:
    """Return what was promised, by kind and version."""
    record: Record = json.loads(RECORD.read_text())
    return record


def missing(record: Record, names: Names) -> set[str]:
    """Return the promised names that the code does not have any more."""
    return {
        f"{kind}: {name}"
        for kind, by_version in record.items()
        for name in set(chain(*by_version.values())) - set(names.get(kind, ()))
    }


def with_new(record: Record, names: Names, version: str) -> Record:
    """Return the record with the names that it lacks, under a version."""
    made = {kind: dict(record.get(kind, {})) for kind in names}
    for kind, found in names.items():
        if new := set(found) - set(chain(*made[kind].values())):
            made[kind][version] = sorted(new | set(made[kind].get(version, ())))
    return made


def _settings() -> set[str]:
    return set().union(*(_SETTING.findall(path.read_text()) for path in (ROOT / "claims").rglob("*.py")))


def _literals(path: Path) -> set[str]:
    """Return the literal keys of dictionaries in a module's functions."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    keys: list[ast.expr | None] = []
    for node in chain(*map(ast.walk, functions)):
        if isinstance(node, ast.Dict):
            keys += node.keys
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            keys.append(node.slice)
    return {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def _log_members() -> set[str]:
    path = ROOT / "claims/request_log.py"
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    said = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "_that_say_something"]
    begun = "".join(ast.unparse(node) for node in nodes if isinstance(node, ast.JoinedStr))  # of every line
    return (
        {*re.findall(r'"(\w+)":', begun)}
        | _literals(path)
        | {word.arg for call in said for word in call.keywords if word.arg}
    )


def _printed(modules: Collection[str]) -> set[str]:
    return set().union(*(_literals(ROOT / "selftest" / f"{module}.py") for module in modules))


def _schema_members() -> Iterator[str]:
    schema: dict[str, Any] = json.loads((ROOT / "selftest/report/results.schema.json").read_text())
    yield from schema["properties"]
    for name, definition in schema["$defs"].items():
        yield from (f"{name}.{member}" for member in definition.get("properties", ()))


def _explained() -> set[str]:
    found = (*map(of_check, statements().values()), *map(of_code, CODES.values()), *map(explained, OUTCOMES))
    return {member for explanation in found for member in explanation.as_json()}


def _commands() -> Iterator[str]:
    """Name each command, each with its arguments and flags."""
    for name, command in _subparsers(parser()):
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            command.parse_args(["--help"])  # a command adds its arguments when it is first called
        yield name
        for action, chosen in ((f"{name} {word}", chosen) for word, chosen in _subparsers(command)):
            yield action
            yield from (f"{action} {flag}" for flag in _flags(chosen))
        yield from (f"{name} {flag}" for flag in _flags(command))


def _subparsers(of: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    """Return the parsers of the commands, or of the actions of one."""
    found = (action for action in of._actions if isinstance(action, argparse._SubParsersAction))
    return [each for action in found for each in action.choices.items()]


def _flags(of: argparse.ArgumentParser) -> list[str]:
    return [flag for action in of._actions for flag in action.option_strings if flag.startswith("--")]


if __name__ == "__main__":
    RECORD.write_text(json.dumps(with_new(recorded(), promised(), __version__), indent=1) + "\n")
