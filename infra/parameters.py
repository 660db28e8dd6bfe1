"""``main.parameters.json`` against the rules of the parameters, and against an environment.

azd replaces ``${NAME}`` by a value of its environment. One that is not set leaves the parameter out, so that the
default in the Bicep file holds: defaults are declared there and nowhere else. The rules are those of the compiled
template: ``type``, ``defaultValue``, ``allowedValues``, ``minLength``, ``maxLength``, ``minValue``, ``maxValue``.

Source: Azure/azure-dev ``cli/azd/pkg/infra/provisioning/bicep/bicep_provider.go`` (loadParameters).
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

#: What the compiled template says of one parameter.
type Rules = Mapping[str, Any]

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_]\w*)(?:=([^}]*))?\}")
_TYPES: Final[Mapping[str, type]] = {"string": str, "int": int, "bool": bool, "object": dict, "array": list}


@dataclass(frozen=True, slots=True)
class Resolved:
    """The parameters as azd would give them.

    Attributes:
        values: By parameter; absent is one that has neither a value nor a literal default, or breaks its rules.
        problems: By parameter, one sentence that names the parameter and what to set.
    """

    values: Mapping[str, Any]
    problems: Mapping[str, str]


def read_parameters(path: Path) -> dict[str, Any]:
    """Return the values by parameter, as written.

    Raises:
        ValueError: The file is not a parameter file.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["parameters"]
        return {name: entry["value"] for name, entry in entries.items()}
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path.name} is not a parameter file: {error!r}") from error


def variables(value: object) -> list[str]:
    """Return the names of azd's environment that a value refers to."""
    return [found[1] for found in _VARIABLE.finditer(value)] if isinstance(value, str) else []


def file_problems(declared: Mapping[str, Rules], given: Mapping[str, Any]) -> Iterator[str]:
    """Return what is wrong with the parameter file under any environment."""
    yield from (f"main.bicep has no parameter {name}" for name in given if name not in declared)
    for name, rules in declared.items():
        if name not in given and "defaultValue" not in rules:
            yield f"the parameter {name} has no default and is not given"
    used = Counter(name for value in given.values() for name in variables(value))
    yield from (f"{count} parameters read the variable {name}" for name, count in used.items() if count > 1)
    for name, value in given.items():
        if isinstance(value, str) and "${" in _VARIABLE.sub("", value):
            yield f"{name} has an unfinished ${{…}}"
        elif not variables(value) and name in declared and (problem := value_problem(declared[name], value)):
            yield f"{name} {problem}"


def resolve(
    declared: Mapping[str, Rules], given: Mapping[str, Any], environ: Mapping[str, str], *, pending: frozenset[str]
) -> Resolved:
    """Put the environment's values in, and hold each against its parameter's rules; pending ones may be missing."""
    values: dict[str, Any] = {}
    problems = {}
    for name, rules in declared.items():
        names = variables(given.get(name))
        subject = f"{names[0]} (parameter {name})" if names else f"the parameter {name}"
        try:
            value = _value(rules, given.get(name), environ)
        except ValueError as error:
            problems[name] = f"{subject} {error}"
            continue
        if value is None:
            if "defaultValue" not in rules and name not in pending:
                problems[name] = f"{subject} is required and is not set"
        elif problem := value_problem(rules, value):
            problems[name] = f"{subject} {problem}"
        else:
            values[name] = value
    return Resolved(values, problems)


def value_problem(rules: Rules, value: object) -> str | None:
    """Return what is wrong with a parameter's value, beginning with "must", or None."""
    if not isinstance(value, _TYPES[rules["type"]]) or isinstance(value, bool) != (rules["type"] == "bool"):
        return f"must be of type {rules['type']}, got {json.dumps(value)}"
    allowed = rules.get("allowedValues", [value])
    if value not in allowed:
        return f"must be one of {', '.join(map(str, allowed))}, got {value}"
    if isinstance(value, str | list):
        return _between(len(value), rules.get("minLength"), rules.get("maxLength"), " characters")
    if isinstance(value, int):
        return _between(value, rules.get("minValue"), rules.get("maxValue"), "")
    return None


def _value(rules: Rules, given: object, environ: Mapping[str, str]) -> Any:
    default = rules.get("defaultValue")
    if isinstance(default, str) and default.startswith("["):
        default = None  # computed in Azure
    if not variables(given):
        return default if given is None else given
    replaced = _VARIABLE.sub(lambda found: environ.get(found[1]) or found[2] or "", str(given))
    if not replaced:
        return default
    match rules["type"]:
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


def _between(value: int, least: int | None, most: int | None, unit: str) -> str | None:
    if (least is None or value >= least) and (most is None or value <= most):
        return None
    if least == most:
        return f"must be {least}{unit}, got {value}"
    ends = f"at least {least}" if most is None else f"at most {most}" if least is None else f"{least} to {most}"
    return f"must be {ends}{unit}, got {value}"
