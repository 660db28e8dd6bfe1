"""The pins: what is installed is what pyproject.toml asks for, and nothing else."""

import re
import tomllib
from importlib.metadata import distribution, version
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
_PIN = re.compile(r"^[A-Za-z0-9].*?(?= \\$)", re.MULTILINE)


def _group(name: str) -> list[Requirement]:
    """Return the requirements of a dependency group and of those that it includes."""
    found: list[Requirement] = []
    for entry in PYPROJECT["dependency-groups"][name]:
        found += [Requirement(entry)] if isinstance(entry, str) else _group(entry["include-group"])
    return found


def _tool(*, extras: bool = True) -> list[Requirement]:
    """Return the requirements of the tool's wheel, with every extra or with none."""
    project = PYPROJECT["project"]
    more = chain.from_iterable(project["optional-dependencies"].values()) if extras else ()
    return [Requirement(line) for line in [*project["dependencies"], *more]]


def _pins(name: str) -> dict[str, str]:
    """Read the pins that hold on this platform: name and version."""
    pins = [Requirement(line) for line in _PIN.findall((ROOT / name).read_text())]
    held = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in held}


def _closure(wanted: list[Requirement]) -> set[str]:
    """Name every distribution that these requirements lead to, as the installed metadata has it."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(wanted)
    while waiting:
        requirement = waiting.pop()
        key = f"{canonicalize_name(requirement.name)}[{','.join(sorted(requirement.extras))}]"
        if key in seen:
            continue
        seen.add(key)
        found.add(canonicalize_name(requirement.name))
        for line in distribution(requirement.name).requires or []:
            child = Requirement(line)
            extras = requirement.extras or {""}
            if child.marker is None or any(child.marker.evaluate({"extra": extra}) for extra in [*extras, ""]):
                waiting.append(child)
    return found


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("requirements.txt", _group("app")),
        ("requirements-telemetry.txt", _group("telemetry")),
        ("requirements-shared-cache.txt", _group("shared-cache")),
        ("requirements-dev.txt", _group("dev") + _tool()),
        ("requirements-install.txt", _group("install")),
        ("requirements-starter.txt", _group("starter") + _tool(extras=False)),
    ],
)
def test_pins_are_those_of_pyproject(name: str, wanted: list[Requirement]) -> None:
    """Every direct and transitive requirement is pinned, and no pin is left over; otherwise run `make compile`."""
    pins = _pins(name)
    assert _closure(wanted) == set(pins)
    for requirement in wanted:
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_installed_is_pinned() -> None:
    """The tests run on the pinned versions, and the deployed ones are the same."""
    development = _pins("requirements-dev.txt")
    assert {name: version(name) for name in development} == development
    assert _pins("requirements.txt").items() <= development.items()
    assert _pins("requirements-telemetry.txt").items() <= development.items()
    assert _pins("requirements-shared-cache.txt").items() <= development.items()
    assert _pins("requirements-starter.txt").items() <= development.items()
    assert _pins("requirements.txt").items() <= _pins("requirements-host.txt").items()


def test_deployed_requirements_are_exact() -> None:
    """A deployed direct requirement names one version."""
    assert all(re.fullmatch(r"==[^*]+", str(requirement.specifier)) for requirement in _group("app"))


def test_requirements_of_the_tool_are_ranges() -> None:
    """The tool is installed next to packages of its users, so it asks for no single version."""
    assert not [str(one) for one in _tool() if not one.specifier or "==" in str(one.specifier)]


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_pins_name_no_place(name: str) -> None:
    """Where packages come from is the reader's choice; what they are is held by hashes."""
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert _pins(name)
    assert text.count("--hash=sha256:") >= len(_pins(name))
