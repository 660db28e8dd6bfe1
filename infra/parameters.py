"""``main.parameters.json`` with the values of azd's environment, read the way azd reads it.

azd replaces ``${NAME}`` in a parameter's JSON, and asks for a required parameter that has no value. What it would
misread without a word is a problem here: an invalid number or bool (azd takes the default), an empty value (azd passes
it on in place of the default), quotation marks and backslashes (azd puts them into the JSON unescaped). The rules are
those of the compiled template: ``type``, ``nullable``, ``defaultValue``, ``allowedValues``, ``minLength``,
``maxLength``, ``minValue``, ``maxValue``.

Source: Azure/azure-dev ae35809 (1.31.2) ``cli/azd/pkg/infra/provisioning/bicep/bicep_provider.go``: loadParameters,
ensureParameters, armParameterFileValue; drone/envsubst.
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

#: All three forms of a default mean "if unset or empty".
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_]\w*)(?:(?::-|:?=)([^}]*))?\}")
_TYPES: Final[Mapping[str, type]] = {"string": str, "int": int, "bool": bool, "object": dict, "array": list}
#: One line of azd's environment file; quotes and some other characters in a value have a backslash before them.
_LINE: Final = re.compile(r'^(\w+)=(?:"((?:[^"\\]|\\.)*)"|(.*))$', re.MULTILINE)
#: The variable with the environment's name.
ENVIRONMENT: Final = "AZURE_ENV_NAME"
#: The name of an environment, which becomes part of a path.
ENVIRONMENT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_JSON_SYNTAX: Final = re.compile(r'["\\\x00-\x1f]')
#: What Go's strconv.ParseBool takes.
_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_UNSET: Final = "to unset it, delete its line in .azure/<environment>/.env"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The parameters as azd would give them.

    Attributes:
        values: By parameter; one without a value and without a literal default, or with a problem, is absent.
        problems: By parameter, one sentence that names the variable and says what to set.
    """

    values: Mapping[str, Any]
    problems: Mapping[str, str]


def read_environment(name: str, root: Path) -> dict[str, str]:
    """Return the values of azd's environment from its file.

    Raises:
        ValueError: azd has no such environment in the folder.
    """
    file = root / ".azure" / name / ".env"
    if not (ENVIRONMENT_NAME.fullmatch(name) and file.is_file()):
        raise ValueError(f"azd has no environment {name!r} in {root}; `azd env list` names those that exist")
    text = file.read_text(encoding="utf-8")
    return {found[1]: re.sub(r"\\(.)", r"\1", found[2] or "") or found[3] or "" for found in _LINE.finditer(text)}


def azd_environment(environ: Mapping[str, str], name: str | None, root: Path) -> dict[str, str]:
    """Return the process's environment with azd's over it.

    In a hook they are one, but on Windows the process has all names in capitals: azd's file has them as they were set.

    Args:
        environ: The process's environment.
        name: The environment of azd; None: the one that the process names, if it has a file.
        root: The folder that contains ``.azure``.

    Raises:
        ValueError: azd has no environment of that name.
    """
    chosen = environ.get(ENVIRONMENT, "") if name is None else name
    if name is None and not (root / ".azure" / chosen / ".env").is_file():
        return dict(environ)
    known = {ENVIRONMENT: chosen} | read_environment(chosen, root)
    in_capitals = {one.upper() for one in known}
    return {one: value for one, value in environ.items() if one not in in_capitals} | known


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
    return [found[1] for found in _VARIABLE.finditer(json.dumps(value))]


def file_problems(declared: Mapping[str, Rules], given: Mapping[str, Any]) -> Iterator[str]:
    """Return what is wrong with the parameter file under any environment."""
    yield from (f"main.bicep has no parameter {name}" for name in given if name not in declared)
    for name, rules in declared.items():
        if name not in given and "defaultValue" not in rules and not rules.get("nullable"):
            yield f"the parameter {name} has no default and is not given"
    used = Counter(name for value in given.values() for name in variables(value))
    yield from (f"{count} parameters read the variable {name}" for name, count in used.items() if count > 1)
    for name, value in given.items():
        if "${" in _VARIABLE.sub("", json.dumps(value)):
            yield f"{name} has an unfinished ${{…}}"
        elif not variables(value) and name in declared and (problem := value_problem(declared[name], value)):
            yield f"{name} {problem}"


def resolve(declared: Mapping[str, Rules], given: Mapping[str, Any], environ: Mapping[str, str]) -> Resolved:
    """Put the environment's values in, and check each against its parameter's rules."""
    values: dict[str, Any] = {}
    problems = {}
    for name, rules in declared.items():
        names = variables(given.get(name))
        subject = f"{names[0]} (parameter {name})" if len(names) == 1 else f"the parameter {name}"
        try:
            value = _value(rules, given.get(name), environ)
        except ValueError as error:
            problems[name] = f"{subject} {error}"
            continue
        if value is None:
            continue
        if problem := value_problem(rules, value):
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
    if isinstance(value, dict):
        wrong = [name for name, member in value.items() if not isinstance(member, str)]
        return f"must have text as the value of {', '.join(wrong)}" if wrong else None
    if isinstance(value, str | list):
        return _between(len(value), rules.get("minLength"), rules.get("maxLength"), " characters")
    if isinstance(value, int):
        return _between(value, rules.get("minValue"), rules.get("maxValue"), "")
    return None


def _value(rules: Rules, given: object, environ: Mapping[str, str]) -> Any:
    default = rules.get("defaultValue")
    if not variables(given):
        return default if given is None else given
    if isinstance(given, dict):
        return {name: _member(name, value, environ) for name, value in given.items()}
    if rules["type"] in {"object", "array"}:
        return _from_json(str(given), environ, default)
    text = _in_json(given, environ)
    if rules["type"] == "int" and text:
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            raise ValueError(f"must be a whole number, got {text}")
        return int(text)
    if rules["type"] == "bool" and text:
        if text not in _TRUE | _FALSE:
            raise ValueError(f"must be true or false, got {text}")
        return text in _TRUE
    if not text and rules["type"] == "string" and default and _is_set(given, environ):
        raise ValueError(f"is set and empty, which azd passes on in place of the default; {_UNSET}")
    return text or default


def _member(name: str, value: object, environ: Mapping[str, str]) -> str:
    try:
        return _in_json(value, environ)
    except ValueError as error:
        raise ValueError(f"({name}) {error}") from error


def _in_json(text: object, environ: Mapping[str, str]) -> str:
    replaced = _replaced(str(text), environ)
    if _JSON_SYNTAX.search(replaced):
        raise ValueError("must have no quotation mark, backslash or control character: azd does not escape it")
    return replaced


def _from_json(text: str, environ: Mapping[str, str], default: object) -> Any:
    replaced = _replaced(text, environ)
    if not replaced and not _is_set(text, environ):
        return default
    try:
        return json.loads(replaced)
    except json.JSONDecodeError as error:
        raise ValueError(f"must be JSON; {_UNSET}") from error


def _replaced(text: str, environ: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: environ.get(found[1]) or found[2] or "", text)


def _is_set(given: object, environ: Mapping[str, str]) -> bool:
    return all(name in environ for name in variables(given))


def _between(value: int, least: int | None, most: int | None, unit: str) -> str | None:
    if (least is None or value >= least) and (most is None or value <= most):
        return None
    if least == most:
        return f"must be {least}{unit}, got {value}"
    ends = f"at least {least}" if most is None else f"at most {most}" if least is None else f"{least} to {most}"
    return f"must be {ends}{unit}, got {value}"
