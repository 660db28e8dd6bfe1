"""The house rules that a tool can hold: imports point one way, and nothing of the harness is deployed."""

import ast
import graphlib
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import claims.contract
import selftest.contract

ROOT = Path(__file__).parent.parent

#: The endpoint's layers, modules and packages: each imports from lower ones only.
LAYERS = [
    {"contract", "errors", "wire", "expiring", "measurements"},
    {"settings", "header", "latency", "loop_watch", "reply"},
    {"event", "token", "request_log"},
    {"provider", "failure_policy"},
    {"provider_call", "provider_module", "downstream"},
    {"providers", "shared_cache"},
    {"endpoint"},
]


def _modules(package: str) -> dict[str, Path]:
    paths = (ROOT / package).rglob("*.py")
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def _imports(path: Path) -> frozenset[str]:
    """Name the modules of this project, and all others, that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


CLAIMS = _modules("claims")
SELFTEST = _modules("selftest")
INFRA = _modules("infra")

#: The harness's rooms, lowest first: a module imports from its own room and from lower ones only.
ROOMS = (
    "contract",
    "base",
    "starter",
    "judge",
    "report",
    "entra",
    "downstream",
    "host",
    "play",
    "signin",
    "load",
    "checks",
    "testing",
    "playground",
    "tenant",
    "commands",
    "cli",
    "__main__",
)
#: What lower rooms a room does without, whatever the order allows.
NOT_FOR = {
    "tenant": {"entra", "downstream", "host", "signin", "load", "checks", "testing", "playground"},
}
MAX_MODULES = 16

#: Names of the contract that the tool has its own copy of; `test_the_harness_knows_the_same_contract` compares the two.
COPIED_NAMES = {"Claims", "ClaimValue"}
COPIES = {"claims.contract", "selftest.contract"}


def test_function_app_knows_the_endpoint_alone() -> None:
    """The entry wires, and no more."""
    ours = {name for name in _imports(ROOT / "function_app.py") if name.startswith(("claims", "selftest"))}
    assert {name.rpartition(".")[0] or name for name in ours} <= {"claims", "claims.endpoint"}


def _importing(modules: dict[str, Path], *packages: str) -> dict[str, set[str]]:
    """Return the modules that import something of these packages, and what."""
    found = {
        module: {name for name in _imports(path) if f"{name}.".startswith(tuple(f"{each}." for each in packages))}
        for module, path in modules.items()
    }
    return {module: names for module, names in found.items() if names}


def test_endpoint_runs_without_the_host_and_the_harness() -> None:
    """No module of the endpoint imports azure.functions or the harness."""
    assert not _importing(CLAIMS, "azure.functions", "selftest", "tests")


def test_every_module_has_a_layer() -> None:
    """A new module must say where it stands."""
    named = {name.split(".")[1] for name in CLAIMS if name != "claims"}
    assert named == set().union(*LAYERS)


@pytest.mark.parametrize("module", [name for name in CLAIMS if name != "claims"])
def test_imports_point_down(module: str) -> None:
    """A module imports from the layers below it; inside a package of its own it may look around."""
    own = module.split(".")[1]
    level = next(index for index, layer in enumerate(LAYERS) if own in layer)
    below = set().union(*LAYERS[:level]) | ({own} if len(module.split(".")) > 2 else set())
    imported = {name.split(".")[1] for name in _imports(CLAIMS[module]) if name.startswith("claims.")}
    assert imported <= below, f"{module} reaches up or sideways to {sorted(imported - below)}"


def test_harness_does_without_the_endpoint() -> None:
    """The tool is installed where our endpoint is not: an app's settings are judged in the app's Python."""
    assert not _importing(SELFTEST, "claims")


def test_the_harness_knows_the_same_contract() -> None:
    """The tool's own copy of the names and limits says the same as the endpoint's."""
    ours, theirs = vars(claims.contract), vars(selftest.contract)
    names = [name for name in ours if name.isupper()]
    assert len(names) > 10
    assert {name: ours[name] for name in names} == {name: theirs[name] for name in names}


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_downwards(room: str) -> None:
    """The way through the rooms is one way, so that each can be read, and tested, without those above it."""
    modules = {name: path for name, path in SELFTEST.items() if f"{name}.".startswith(f"selftest.{room}.")}
    assert modules
    assert not _importing(modules, *(f"selftest.{above}" for above in ROOMS[ROOMS.index(room) + 1 :]))


@pytest.mark.parametrize("room", NOT_FOR)
def test_room_does_without_others(room: str) -> None:
    """Neither by itself nor through what it imports: what works on a real tenant loads no emulator."""
    reached: set[str] = set()
    ahead = {name for name in SELFTEST if name.startswith(f"selftest.{room}.")}
    while ahead:
        reached |= ahead
        ahead = set().union(*(_imports(SELFTEST[name]) for name in ahead)) & SELFTEST.keys() - reached
    assert not {name for name in reached if name.count(".") and name.split(".")[1] in NOT_FOR[room]}


def test_no_module_is_loose_in_the_harness() -> None:
    """Every module is in a room; a name that leads nowhere is in no folder."""
    loose = {name for name in SELFTEST if name.count(".") == 1 and not (ROOT / name.replace(".", "/")).is_dir()}
    assert loose == {"selftest.cli", "selftest.__main__", "selftest.contract"}
    assert {name.split(".")[1] for name in SELFTEST if name != "selftest"} == set(ROOMS)


def test_deployment_does_without_the_harness() -> None:
    """Bicep, package and preflight are in a copy of the template where the harness is not."""
    assert not _importing(INFRA, "selftest", "tests")


def test_no_folder_has_more_modules_than_a_reader_takes_in() -> None:
    """Sixteen is what somebody can look through; then there are two concepts in it."""
    paths = [path for modules in (CLAIMS, SELFTEST, INFRA, _modules("benchmarks")) for path in modules.values()]
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in paths if path.stem != "__init__")
    crowded = {folder: count for folder, count in counts.items() if count > MAX_MODULES}
    assert not crowded


@pytest.mark.parametrize("package", [CLAIMS, SELFTEST, INFRA], ids=["claims", "selftest", "infra"])
def test_no_import_circle(package: dict[str, Path]) -> None:
    """Imports inside a package can be read bottom-up."""
    graph = {name: {found for found in _imports(path) if found in package} - {name} for name, path in package.items()}
    for name, imported in graph.items():
        imported -= {name.rpartition(".")[0]}  # a package's own docstring module
    assert list(graphlib.TopologicalSorter(graph).static_order())


def _public_types(path: Path) -> Iterator[str]:
    """Return the public classes and type aliases that a module defines."""
    for node in _parsed(path).body:
        name = node.name.id if isinstance(node, ast.TypeAlias) else node.name if isinstance(node, ast.ClassDef) else "_"
        if not name.startswith("_"):
            yield name


def ambiguous_names(modules: dict[str, Path]) -> dict[str, set[str]]:
    """Return the public types that are defined in several modules, with the modules, but for the contract's copy."""
    found = defaultdict(set)
    for module, path in modules.items():
        for name in _public_types(path):
            found[name].add(module)
    return {
        name: places
        for name, places in found.items()
        if len(places) > 1 and not (name in COPIED_NAMES and places == COPIES)
    }


def test_a_type_name_means_one_thing() -> None:
    """A reader who has seen a public class or type alias once knows it everywhere in the product."""
    assert not ambiguous_names(CLAIMS | SELFTEST | INFRA)


def test_a_second_definition_is_found(tmp_path: Path) -> None:
    """Classes and type aliases count, private names and nested ones do not, and the contract may be copied."""
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(
        "class Reply: ...\nclass _Own: ...\ntype Kind = str\ntype Claims = str\nclass A:\n    class B: ...\n"
    )
    second.write_text("type Reply = str\nclass _Own: ...\ntype Kind = int\ntype Claims = str\nclass B: ...\n")
    assert ambiguous_names({"claims.contract": first, "selftest.contract": second}).keys() == {"Reply", "Kind"}
    assert ambiguous_names({"a": first, "b": second}).keys() == {"Reply", "Kind", "Claims"}


def test_product_does_without_tests_and_benchmarks() -> None:
    """What is handed over imports nothing that is not, and no relative import hides what it imports."""
    product = CLAIMS | SELFTEST | INFRA
    assert not _importing(product, "tests", "benchmarks")
    relative = [
        module
        for module, path in product.items()
        if any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(_parsed(path)))
    ]
    assert not relative


def test_no_module_is_named_after_nothing() -> None:
    """A module is named after its one concept."""
    names = {"util", "utils", "helper", "helpers", "common", "misc", "manager"}
    assert not [path for path in ROOT.glob("[cst]*/**/*.py") if path.stem in names]


#: Written from texts that are looked at where they are.
_GENERATED_PAGES = {"codes.md", "host.md", "infra-checks.md"}
_TEXTS = [
    path
    for folder in ("claims", "selftest", "infra", "docs")
    for kind in ("py", "toml", "md", "tmpl", "jinja", "bicep")
    for path in sorted((ROOT / folder).rglob(f"*.{kind}"))
    if path.name not in _GENERATED_PAGES
] + [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "function_app.py"]
BANNED_TURNS = {
    re.compile(turn): better for turn, better in tomllib.loads((ROOT / "tests/banned_turns.toml").read_text()).items()
}


def banned_turns(text: str) -> list[str]:
    """Return each banned turn of a text with the better one."""
    on_one_line = re.sub(r"\s+", " ", text)
    return [f"{found}: {better}" for turn, better in BANNED_TURNS.items() for found in turn.findall(on_one_line)]


def test_no_turn_is_banned() -> None:
    """What a stranger reads is written as tests/banned_turns.toml says."""
    found = {str(path.relative_to(ROOT)): banned_turns(path.read_text()) for path in _TEXTS}
    assert {path: turns for path, turns in found.items() if turns} == {}


def test_banned_turn_is_found_across_lines() -> None:
    """With the better one beside it; standard words are no turns."""
    assert banned_turns("The reason stands in\n  the log.") == ["stands in the log: is in the log"]
    assert not banned_turns("It is None, there is none, and the fix is recommended.")
