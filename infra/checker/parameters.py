"""``main.parameters.json`` against the parameters of ``main.bicep``, and against an environment.

azd replaces ``${NAME}`` by a value of its environment. One that is not set leaves the parameter out, so that the
default in the Bicep file holds: defaults stand there and nowhere else.

Source: Azure/azure-dev ``cli/azd/pkg/infra/provisioning/bicep/bicep_provider.go`` (loadParameters).
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.checker.bicep import BicepFile, Declaration
from infra.checker.constraints import constraints, known_value
from infra.checker.finding import Finding
from infra.checker.modules import needs_value

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_]\w*)(?:=([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """The parameters as azd would give them.

    Attributes:
        values: by parameter; one whose default is computed in Azure is absent.
        problems: by parameter, one sentence that names the parameter and what to set.
    """

    values: Mapping[str, Any]
    problems: Mapping[str, str]


def parameter_findings(main: BicepFile, path: Path) -> list[Finding]:
    """Find parameters that are not there, are not given, or share a variable."""
    try:
        given = read_parameters(path)
    except ValueError as error:
        return [Finding(path, 0, "parameters", str(error))]
    declared = {param.name: param for param in main.of("param")}
    found = [
        Finding(path, 0, "parameters", f"{main.path.name} has no parameter {name}")
        for name in given
        if name not in declared
    ]
    found += [
        Finding(path, 0, "parameters", f"the parameter {name} has no default and is not given")
        for name, param in declared.items()
        if needs_value(param) and name not in given
    ]
    used = Counter(name for value in given.values() for name in variables(value))
    found += [
        Finding(path, 0, "parameters", f"{count} parameters read the variable {name}")
        for name, count in used.items()
        if count > 1
    ]
    for name, value in given.items():
        fixed = not variables(value)
        problem = constraints(declared[name]).problem(value) if fixed and name in declared else None
        if problem or (isinstance(value, str) and "${" in _VARIABLE.sub("", value)):
            found.append(Finding(path, 0, "parameters", f"{name} {problem or 'has an unfinished ${…}'}"))
    return found


def read_parameters(path: Path) -> dict[str, Any]:
    """Read the values by parameter, as written.

    Raises:
        ValueError: it is no parameter file.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["parameters"]
        return {name: entry["value"] for name, entry in entries.items()}
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path.name} is no parameter file: {error!r}") from error


def variables(value: object) -> list[str]:
    """Name the variables of azd's environment in a value."""
    return [found[1] for found in _VARIABLE.finditer(value)] if isinstance(value, str) else []


def resolve(main: BicepFile, path: Path, environ: Mapping[str, str], *, pending: frozenset[str]) -> Resolved:
    """Put the environment's values in, and hold each against its parameter's type and decorators.

    Args:
        main: the Bicep file.
        path: the parameter file.
        environ: azd's environment; azd passes it to its hooks as theirs.
        pending: parameters that a later step fills in: they may be missing, and not wrong.

    Raises:
        ValueError: the parameter file cannot be read.
    """
    given = read_parameters(path)
    values: dict[str, Any] = {}
    problems = {}
    for param in main.of("param"):
        try:
            value = _value(param, given.get(param.name), environ)
        except ValueError as error:
            problems[param.name] = f"{_told(param, given)} {error}"
            continue
        if value is None:
            if needs_value(param) and param.name not in pending:
                problems[param.name] = f"{_told(param, given)} is required and is not set"
            continue
        problem = constraints(param).problem(value)
        if problem:
            problems[param.name] = f"{_told(param, given)} {problem}"
        values[param.name] = value
    return Resolved(values, problems)


def _value(param: Declaration, written: object, environ: Mapping[str, str]) -> Any:
    default = known_value(param.value) if param.value is not None else None
    if not variables(written):
        return default if written is None else written
    replaced = _VARIABLE.sub(lambda found: environ.get(found[1]) or found[2] or "", str(written))
    if not replaced:
        return default
    match constraints(param).type:
        case "int":
            if not replaced.lstrip("-").isdigit():
                raise ValueError(f"must be a whole number, got {replaced}")
            return int(replaced)
        case "bool":
            if replaced.lower() not in {"true", "false"}:
                raise ValueError(f"must be true or false, got {replaced}")
            return replaced.lower() == "true"
        case "object" | "array":
            try:
                return json.loads(replaced)
            except json.JSONDecodeError as error:
                raise ValueError("must be JSON") from error
    return replaced


def _told(param: Declaration, given: Mapping[str, Any]) -> str:
    names = variables(given.get(param.name))
    return f"{names[0]} (parameter {param.name})" if names else f"the parameter {param.name}"
