"""The files of a copy: taken from this repository as they are, adapted in a few places, or rendered from the template.

An update may replace what is managed. What is the copier's (provider, tests, README, settings, pyproject.toml) is
written once, by `new`, and never touched again.
"""

import hashlib
import json
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from selftest.base.cannot_run import CannotRun
from selftest.starter.answers import Answers
from selftest.starter.links import without_dead_links

#: Taken from the repository, folders whole. pyproject.toml takes the same list into the wheel; a test compares the two.
TAKEN: Final = (
    ".funcignore",
    ".github/workflows/deploy.yml",
    ".github/workflows/infrastructure.yml",
    ".gitignore",
    "LICENSE",
    "azure.yaml",
    "claims",
    "docs/deploy.md",
    "docs/entra-objects.md",
    "docs/make-it-yours.md",
    "docs/runbook.md",
    "docs/settings.md",
    "docs/testing-your-provider.md",
    "function_app.py",
    "host.json",
    "infra",
    "local.settings.sample.json",
    "requirements-starter.txt",
    "requirements.txt",
)
#: Read for the direct requirements; not part of a copy.
PROJECT: Final = "pyproject.toml"
#: The name in a copy, where it is another one than here. The license is that of the files we deliver, not of the copy.
_RENAMED: Final[Mapping[str, str]] = {
    "LICENSE": "LICENSE.entra-claims-endpoint",
    "requirements-starter.txt": "requirements-dev.txt",
}
#: What azd installs for its hooks: in a copy, the tool too.
_HOOKS: Final = "infra/hooks/requirements.txt"
_COPIERS: Final = ("README.md", "local.settings.sample.json", "pyproject.toml", "tests/")
_TEMPLATE: Final = Path(__file__).parent / "template"
_SUFFIX: Final = ".tmpl"
#: In a template's path: the name of the provider's module.
_MODULE: Final = "MODULE"
#: Providers that ask a data source share a provider, a test and a stub; fragments make the difference.
_OVERLAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "own": ("common", "own"),
    "profile_api": ("common", "source", "profile_api"),
    "graph": ("common", "source", "graph"),
    "table": ("common", "source", "table"),
}


class _Template(string.Template):
    delimiter = "@@"


@dataclass(frozen=True, slots=True)
class Contents:
    """The files of a copy by path, with slashes.

    Attributes:
        managed: Those that an update may replace.
        copiers: Those that are written once.
    """

    managed: Mapping[str, bytes] = field(default_factory=dict)
    copiers: Mapping[str, bytes] = field(default_factory=dict)


def repository() -> Path:
    """Return the folder that holds the files in `TAKEN`: part of the installed tool, or the checkout."""
    packed = Path(__file__).parent / "repository"
    return packed if packed.is_dir() else Path(__file__).parents[2]


def contents(answers: Answers, wheel: tuple[str, bytes], root: Path | None = None) -> Contents:
    """Return every file of a copy.

    Raises:
        CannotRun: The tool lacks a file.
    """
    root = root or repository()
    files = dict(_taken(root, answers))
    files.update(_rendered(answers, _requirements(root)))
    texts = {path: content for path, content in files.items() if path.endswith(".md")}
    files.update({path: without_dead_links(path, content, files) for path, content in texts.items()})
    files[f"tools/{wheel[0]}"] = wheel[1]
    files[_HOOKS] += f"../../tools/{wheel[0]} --hash=sha256:{hashlib.sha256(wheel[1]).hexdigest()}\n".encode()
    mine = {path for path in files if path.startswith(_COPIERS) or path == f"claims/providers/{answers.module}.py"}
    return Contents(
        managed={path: content for path, content in files.items() if path not in mine},
        copiers={path: content for path, content in files.items() if path in mine},
    )


def _taken(root: Path, answers: Answers) -> Iterator[tuple[str, bytes]]:
    for name in TAKEN:
        found = sorted((root / name).rglob("*")) if (root / name).is_dir() else [root / name]
        for file in found:
            path = file.relative_to(root).as_posix()
            if {"__pycache__", "hooks_env"} & set(file.parts) or file.is_dir():
                continue
            try:
                yield _RENAMED.get(path, path), _adapted(path, file.read_bytes(), answers)
            except FileNotFoundError as error:
                raise CannotRun(f"the starter's file {path} is missing: install the tool again") from error


def _adapted(path: str, content: bytes, answers: Answers) -> bytes:
    """Return a file as a copy needs it; most need nothing."""
    values = answers.placeholders()
    if path == "local.settings.sample.json":
        return _local_settings(content, values)
    if path == "infra/main.parameters.json":
        return _parameters(content, answers)
    if path == "azure.yaml":
        text = content.decode()
        content = _replaced(text, "name: entra-claims-endpoint\n", f"name: {answers.name}\n").encode()
    if path == "azure.yaml" or path.endswith(".md"):
        return "".join(map(_commands, content.decode().splitlines(keepends=True))).encode()
    return content


#: How the tool is called in a checkout, where it is not installed, and the commands that start a copy's app.
_TOOL: Final = re.compile(r"(?:\.venv/bin/)?python -m selftest(?P<starts> (?:run|signin|check|load|playground)\b)?")


def _commands(line: str) -> str:
    """Return a line with the commands of a copy, where the provider is set; one that names a checkout stays."""
    if "in a checkout" in line:
        return line
    changed = _TOOL.sub(
        lambda found: (
            f".venv/bin/python -m tests.local{found['starts']}" if found["starts"] else ".venv/bin/entra-selftest"
        ),
        line,
    )
    return changed if changed == line else changed.replace(" --setting Claims__Provider=mine", "")


def _local_settings(content: bytes, values: Mapping[str, str]) -> bytes:
    """Return the settings for a start next to the emulated Entra, which acts as the copier's tenant."""
    document: dict[str, Any] = json.loads(content)
    settings = document["Values"]
    authority = settings["AuthenticationEvents__AuthorityUrl"].rpartition("/")[0]
    settings["AuthenticationEvents__AuthorityUrl"] = f"{authority}/{values['local_tenant']}"
    settings["AuthenticationEvents__AudienceAppId"] = values["local_audience"]
    settings["Claims__ApplicationIdUri"] = f"api://localhost/{values['local_audience']}"
    settings["Claims__Provider"] = values["module"]
    if values["provider"] == "profile_api":
        settings |= _LOCAL_API
    return f"{json.dumps(document, indent=2)}\n".encode()


#: Of an API on the developer's machine, which a start needs; a plain http address needs no token.
_LOCAL_API: Final[Mapping[str, str]] = {
    "Claims__ProfileApi__Url": "http://127.0.0.1:8080/profiles",
    "Claims__ProfileApi__Scope": "",
}


def _parameters(content: bytes, answers: Answers) -> bytes:
    """Return the deployment's parameters with the answers as defaults, so that nobody deploys the sample's claims."""
    text = _replaced(content.decode(), "${Claims__Provider}", f"${{Claims__Provider={answers.module}}}")
    if answers.tenant:
        name, authority = "AuthenticationEvents__AuthorityUrl", f"https://login.microsoftonline.com/{answers.tenant}"
        text = _replaced(text, f"${{{name}}}", f"${{{name}={authority}}}")
    if answers.audience:
        text = _replaced(text, "${ENTRA_API_APP_ID}", f"${{ENTRA_API_APP_ID={answers.audience}}}")
    return text.encode()


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise CannotRun(f"the starter expects {old!r} once in a file that it adapts; install the tool again")
    return text.replace(old, new)


def _requirements(root: Path) -> str:
    """Return the direct requirements of the endpoint, one a line."""
    project = tomllib.loads((root / PROJECT).read_text(encoding="utf-8"))
    return "\n".join(project["dependency-groups"]["app"])


def _rendered(answers: Answers, requirements: str) -> dict[str, bytes]:
    values = {**answers.placeholders(), "endpoint_requirements": requirements}
    templates: dict[str, str] = {}
    for overlay in _OVERLAYS[answers.provider]:
        for file in sorted((_TEMPLATE / overlay).rglob(f"*{_SUFFIX}")):
            path = file.relative_to(_TEMPLATE / overlay).as_posix().removesuffix(_SUFFIX)
            text = file.read_text(encoding="utf-8")
            if path.startswith("_"):  # a fragment: its text is a placeholder of the others
                values[path.removeprefix("_").partition(".")[0]] = _Template(text.rstrip("\n")).substitute(values)
            else:
                templates[path.replace(_MODULE, answers.module)] = text
    return {path: _Template(text).substitute(values).encode() for path, text in templates.items()}
