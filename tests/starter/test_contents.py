"""What is in a copy, for each kind of provider: it is small, and what its pages and workflows name is there."""

import hashlib
import json
import posixpath
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from claims.providers.profile_api import SCOPE, URL
from infra.parameters import read_parameters
from selftest import __version__
from selftest.base.cannot_run import CannotRun
from selftest.base.program import STARTS
from selftest.cli import parser
from selftest.starter.answers import PROVIDERS, Answers
from selftest.starter.contents import PROJECT, TAKEN, Contents, contents
from selftest.starter.links import without_dead_links
from selftest.starter.tool_wheel import wheel_from_file
from tests.starter.commands import succeed
from tests.starter.transcript import Command, steps
from tests.test_commands_in_docs import blocks, parts, problem

ROOT = Path(__file__).parents[2]
TENANT, AUDIENCE = "0a0a0a0a-1111-4111-8111-0123456789ab", "0b0b0b0b-1111-4111-8111-0123456789ab"
WHEEL = (f"entra_selftest-{__version__}-py3-none-any.whl", b"\0")
#: The limits of what a copier owns: the endpoint, its deployment, and a provider with its tests.
MAX_FILES, MAX_PYTHON_LINES = 120, 8300
#: What a reader is told to write.
NOT_HERE = {
    "claims/providers/contoso.py",
    "claims/providers/crm.py",
    "claims/providers/mine.py",
    "tests/test_contoso_api.py",
    "tests/test_mine.py",
    "tests/test_profile_api.py",
}
_WRITTEN_ONCE = ("README.md", "local.settings.sample.json", "pyproject.toml")


def files_of(kind: str, **answers: str) -> dict[str, bytes]:
    """Return every file of a copy but its manifest."""
    made = contents(Answers.read({"name": "contoso-hr", "provider": kind, **answers}), WHEEL, ROOT)
    return {**made.managed, **made.copiers}


@pytest.fixture(scope="module", params=PROVIDERS)
def files(request: pytest.FixtureRequest) -> dict[str, bytes]:
    """Return the files of a copy whose answers are all given."""
    return files_of(request.param, tenant=TENANT, audience=AUDIENCE)


def texts(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the files that are text."""
    return {path: content.decode() for path, content in files.items() if b"\0" not in content}


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("another.whl", b"", "--wheel must name"),
        (WHEEL[0], None, "cannot be read"),
        (WHEEL[0], b"\0", "is not a wheel"),
        (WHEEL[0], b"PK\x05\x06" + bytes(18), "is not a wheel"),
    ],
)
def test_what_is_no_wheel_is_refused(tmp_path: Path, name: str, content: bytes | None, problem: str) -> None:
    """Another name or version, no file, no zip, and a zip without a distribution."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CannotRun, match=problem):
        wheel_from_file(tmp_path / name)


def test_wheel_takes_what_a_copy_takes() -> None:
    """pyproject.toml and the engine have one list: a file that one lacks would be missing in an installed tool."""
    targets = tomllib.loads((ROOT / PROJECT).read_text())["tool"]["hatch"]["build"]["targets"]
    taken = {*TAKEN, PROJECT}
    assert targets["wheel"]["force-include"] == {path: f"selftest/starter/repository/{path}" for path in taken}


def test_copy_is_small(files: dict[str, bytes]) -> None:
    """With the manifest, and every line of Python counted."""
    assert len(files) + 1 <= MAX_FILES
    assert sum(text.count("\n") for path, text in texts(files).items() if path.endswith(".py")) <= MAX_PYTHON_LINES


def test_copy_has_nothing_of_the_harness(files: dict[str, bytes]) -> None:
    """Neither its source nor the gates of this project; and nothing is left of the template."""
    tops = {path.partition("/")[0] for path in files}
    assert not tops & {"selftest", "benchmarks", ".ci", "CONTRIBUTING.md", "CHANGELOG.md"}
    for path, text in texts(files).items():
        assert "@@" not in text, path
        assert not [line for line in text.splitlines() if "python -m selftest" in line and "in a checkout" not in line]
        assert not re.search(r"cov-fail-under|--strict\b", text), path


def test_what_an_update_leaves_alone() -> None:
    """Provider, tests, README and settings are the copier's."""
    made = contents(Answers.read({"name": "contoso-hr"}), WHEEL, ROOT)
    assert set(made.copiers) == {
        *_WRITTEN_ONCE,
        "claims/providers/contoso_hr.py",
        "tests/__init__.py",
        "tests/conftest.py",
        "tests/data_source.py",
        "tests/local.py",
        "tests/test_contoso_hr.py",
    }


def test_pages_name_what_is_there(files: dict[str, bytes]) -> None:
    """Links, files, make targets and commands of every page, hook and workflow."""
    targets = set(re.findall(r"^([a-z.]+):", texts(files)["Makefile"], re.MULTILINE))
    commands = parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    for path, text in texts(files).items():
        if not path.endswith((".md", ".yml", ".yaml")):
            continue
        linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link}
        there = {posixpath.normpath(posixpath.join(posixpath.dirname(path), link)) for link in linked if link}
        named = set(re.findall(r"`((?:claims|tests|docs|infra|tools)/[\w./-]*\w)`", text)) - NOT_HERE
        assert {one for one in there | named if not any(f"{each}/".startswith(f"{one}/") for each in files)} == set(), (
            path
        )
        called = re.findall(r"(?:^|`|&& |run: )make ([a-z.]+)", text, re.MULTILINE)
        assert set(called) <= targets, path
        assert set(re.findall(r"(?:entra-selftest|tests\.local) ([a-z-]+)", text)) <= set(commands or ()), path


def test_readme_fits_whatever_the_provider_returns(files: dict[str, bytes]) -> None:
    """It names no claim of the example that the copier replaces, nor a setting of it: the names come from a sign-in."""
    page, module = texts(files)["README.md"], "claims/providers/contoso_hr.py"
    example = {*re.findall(r'"([A-Z]\w+)"', texts(files)[module]), "Region", "Department", "Teams", "Guest"}
    words = page.replace("Claims__Graph__Attributes department:Department,jobTitle:JobTitle", "")
    assert not {name for name in example if re.search(rf"\b(?:Claims__\w+__)?{name}\b", words)}
    taken, given = "signin --claims-out claims.json\n", "azd env set ENTRA_CLAIMS_FROM claims.json\n"
    assert 0 < page.index(taken) < page.index(given) < page.index("azd up\n")


def test_commands_of_the_readme_are_taken(files: dict[str, bytes], capsys: pytest.CaptureFixture[str]) -> None:
    """No command of the README is a usage error, before and after the deployment."""
    typed = [words for line in blocks(texts(files)["README.md"]) for words in parts(line)]
    assert {"signin", "explain", "signin-log", "doctor", "objects"} <= {word for words in typed for word in words}
    for words in typed:
        assert not problem(words), f"{words}\n{capsys.readouterr().err}"


def test_readme_deploys_as_the_page_does(files: dict[str, bytes]) -> None:
    """One sequence, with the answers in the README; the settings of the copy's provider are in their place."""
    page, readme = texts(files)["docs/deploy.md"], texts(files)["README.md"]
    on_page = re.findall(r"^```\n(.*?)^```", page.partition("## First deployment\n")[2], re.MULTILINE | re.DOTALL)[:2]
    in_readme = re.findall(r"^```\n(.*?)^```", readme.partition("## Deploy\n")[2], re.MULTILINE | re.DOTALL)[:2]
    own = re.findall(r"^azd env set (?:Claims__(?!Allowed)|PROVIDER_SETTINGS).*\n", in_readme[0], re.MULTILINE)
    assert own
    expected = [
        block.replace("claims-test", "contoso-hr-test")
        .replace("<tenantId>", TENANT)
        .replace("azd env set <setting of the provider> <value>\n", "".join(own))
        for block in on_page
    ]
    assert in_readme == expected


def test_readme_leads_from_a_failed_sign_in_to_its_cause(files: dict[str, bytes]) -> None:
    """A copy has no page of troubleshooting: the commands and the runbook are named under one heading."""
    section = texts(files)["README.md"].partition("## When sign-ins fail\n")[2].partition("\n## ")[0]
    for named in ("entra-selftest signin-log", "entra-selftest explain", "entra-selftest doctor", "docs/runbook.md"):
        assert named in section


def test_settings_are_the_answers(files: dict[str, bytes]) -> None:
    """Asked once: the local start, the deployment and the README have them."""
    module = "contoso_hr"
    local = json.loads(files["local.settings.sample.json"])["Values"]
    assert local["AuthenticationEvents__AuthorityUrl"].endswith(f"/{TENANT}")
    assert local["AuthenticationEvents__AudienceAppId"] == AUDIENCE
    assert local["Claims__Provider"] == module
    asks_api = b"profile_api as source" in files[f"claims/providers/{module}.py"]
    assert {name for name in local if "__ProfileApi__" in name} == ({URL, SCOPE} if asks_api else set())
    parameters = json.loads(files["infra/main.parameters.json"])["parameters"]
    given = {name: entry["value"] for name, entry in parameters.items()}
    assert given["settings"]["Claims__Provider"] == f"${{Claims__Provider={module}}}"
    assert TENANT in given["authorityUrl"]
    assert AUDIENCE in given["audienceAppId"]
    assert TENANT in texts(files)["README.md"]
    assert yaml.safe_load(files["azure.yaml"])["name"] == "contoso-hr"


def test_azd_installs_the_tool_for_its_hooks(files: dict[str, bytes]) -> None:
    """Beside the pinned requirements and, like them, with its hash; pip reads the path from the script's folder."""
    lines = texts(files)["infra/hooks/requirements.txt"].splitlines()
    assert lines[1] == "-r ../../requirements-dev.txt"
    path, _, digest = lines[2].partition(" --hash=sha256:")
    assert digest == hashlib.sha256(files[path.removeprefix("../../")]).hexdigest()


def test_environment_has_what_tool_and_tests_import(files: dict[str, bytes]) -> None:
    """`make compile` takes the names from the wheel and from the group `dev`; what is delivered pins them."""
    group = tomllib.loads(texts(files)["pyproject.toml"])["dependency-groups"]["dev"]
    tool = tomllib.loads((ROOT / PROJECT).read_text())["project"]["dependencies"]
    names = {re.split(r"[^\w.-]", line)[0].lower() for line in (*group, *tool)}
    assert names <= set(re.findall(r"^([\w.-]+)==", texts(files)["requirements-dev.txt"], re.MULTILINE))


def test_what_is_not_known_yet_is_left_out() -> None:
    """The emulated tenant takes the place of an unknown one on this machine, and nowhere else."""
    files = files_of("own")
    given = json.loads(files["infra/main.parameters.json"])["parameters"]
    ours = read_parameters(ROOT / "infra/main.parameters.json")
    assert {name: entry["value"] for name, entry in given.items()} == {
        **ours,
        "settings": {**ours["settings"], "Claims__Provider": "${Claims__Provider=contoso_hr}"},
    }
    assert "login.microsoftonline.com/<tenantId>" in texts(files)["README.md"]


def test_workflows_run_the_two_commands_with_our_pins(files: dict[str, bytes]) -> None:
    """Actions are pinned to the commits that this repository uses; Bicep is judged by the runner's compiler."""
    ours = "".join(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml"))
    check, *others = (texts(files)[f".github/workflows/{name}.yml"] for name in ("check", "deploy", "infrastructure"))
    assert set(re.findall(r"uses: (\S+)", check + "".join(others))) <= set(re.findall(r"uses: (\S+)", ours))
    jobs = yaml.safe_load(check)["jobs"]
    assert set(jobs["attest"]["needs"]) == set(jobs) - {"attest"}
    steps: list[dict[str, Any]] = [step for job in jobs.values() for step in job["steps"]]
    runs = [step["run"] for step in steps if "run" in step]
    assert runs == ["make test", "make selftest", "make package", "python -m infra.bicep --check"]
    assert all("permissions" in yaml.safe_load(text) for text in (check, *others))


@pytest.fixture(scope="module")
def unpacked(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a copy into a folder."""
    directory = tmp_path_factory.mktemp("copy")
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
    return directory


@pytest.mark.waits
def test_provider_passes_its_tests(unpacked: Path) -> None:
    """In this project's environment, with its plugin; test_copy.py runs them in the copy's own."""
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "selftest.testing.plugin")
    assert "3 passed" in succeed((sys.executable, *words), unpacked, PYTHONPATH=str(ROOT))


def test_hour_with_an_http_api(tmp_path: Path) -> None:
    """The steps of the page, in a copy as they say; with them two tests more, and those of the fresh copy adapted."""
    made = contents(Answers.read({"name": "contoso", "provider": "profile_api"}), WHEEL, ROOT)
    for path, content in {**made.managed, **made.copiers}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    page = (tmp_path / "docs/make-it-yours.md").read_text()
    for step in steps(page.split("## The first hour with an HTTP API\n")[1].split("\n## ")[0]):
        assert not isinstance(step, Command)
        step.apply(tmp_path)
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "selftest.testing.plugin")
    assert "5 passed" in succeed((sys.executable, *words), tmp_path, PYTHONPATH=str(ROOT))


def test_an_app_that_runs_keeps_its_own_settings(unpacked: Path) -> None:
    """With an address nothing is started, so nothing is set."""
    code = "from tests.local import command; print(*command({'A': 'b'}, 'check', *__import__('sys').argv[1:]))"
    started = succeed((sys.executable, "-c", code, "T"), unpacked, PYTHONPATH=str(ROOT))
    assert "--setting A=b T" in started
    for arguments in (("--url", "https://x.example"), ("--url=https://x.example",)):
        running = succeed((sys.executable, "-c", code, *arguments), unpacked, PYTHONPATH=str(ROOT))
        assert running.split()[1:] == ["check", *arguments]


@pytest.mark.parametrize("arguments", [(), ("--tenant-file", "mine.toml")])
def test_commands_that_start_the_app_are_taken(unpacked: Path, arguments: tuple[str, ...]) -> None:
    """Each gets the copy's tenant and settings, and none of them is a usage error; a tenant file has its own ids."""
    code = (
        "import json, sys; from tests.local import STARTS, command; "
        "print(json.dumps([command({'A': 'b'}, name, *sys.argv[1:]) for name in STARTS]))"
    )
    built = json.loads(succeed((sys.executable, "-c", code), unpacked, PYTHONPATH=str(ROOT)))
    playground = json.loads(succeed((sys.executable, "-c", code, *arguments), unpacked, PYTHONPATH=str(ROOT)))[-1]
    assert [words[1] for words in built] == list(STARTS)
    for words in (*built, playground):
        args = parser().parse_args(words[1:])
        assert len(args.settings) == 1, words
        own_ids = words == playground and arguments
        assert (args.tenant, args.audience) == ((None, None) if own_ids else (TENANT, AUDIENCE)), words


def test_provider_is_written_in_the_house_format(unpacked: Path) -> None:
    """What a copier starts from is as well kept as the rest; its tests are plain functions without types."""
    files = ("--no-cache", "--config", ROOT / "pyproject.toml", "claims/providers/contoso_hr.py", "tests")
    ruff = (sys.executable, "-m", "ruff")
    succeed((*ruff, "check", "--extend-ignore", "ANN,D101,D102,N802,S603,T201", *files), unpacked)
    succeed((*ruff, "format", "--check", *files), unpacked)


def test_link_to_a_page_that_is_not_there_becomes_its_text_and_place() -> None:
    """Folders and anchors of pages that are there stay links."""
    page = b"[a](b.md#c), [gone](gone.md), [dir](../infra/), [web](https://example.com/x), ![image](images/x.png)"
    kept = without_dead_links("docs/p.md", page, {"docs/b.md", "infra/main.bicep"})
    assert kept == (
        b"[a](b.md#c), gone (docs/gone.md in a checkout), [dir](../infra/), [web](https://example.com/x), "
        b"image (docs/images/x.png in a checkout)"
    )
    alone = without_dead_links("docs/p.md", b"([gone.md](gone.md#there))", {"docs/b.md"})
    assert alone == b"(docs/gone.md in a checkout)"


def test_pages_have_the_commands_of_a_copy(files: dict[str, bytes]) -> None:
    """Of a checkout where they say so, and nowhere else; what starts the app uses the copy's provider."""
    pages = {path: " ".join(text.split()) for path, text in texts(files).items() if path.startswith("docs/")}
    for path, page in pages.items():
        assert not re.findall(r"entra-selftest (?:run|signin|check|load|playground)\b", page), path
        assert not re.findall(r"(?i)in a checkout[^.;:|]{0,20}`\.venv/bin/", page), path
        assert not re.findall(r"(?i)in a checkout[^.;]{0,120}: ```", page), path
        assert not re.findall(r"tests\.local [^`]*--setting Claims__Provider=mine", page), path
        assert not re.findall(r"\([\w-]+\.md\)", re.sub(r"\]\([^)]*\)", "]", page)), path
    row = "in a checkout, with `.venv` activated (`. .venv/bin/activate`) | `python -m selftest …` |"
    assert row in pages["docs/make-it-yours.md"]
    assert "(docs/tool.md in a checkout)" in pages["docs/settings.md"]


def test_samples_are_only_where_their_page_says(files: dict[str, bytes]) -> None:
    """docs/troubleshooting.md speaks to the reader of a copy, too, whose folder does not have its samples."""
    page = " ".join((ROOT / "docs/troubleshooting.md").read_text().split())
    assert page.count("(`docs/samples/`) are only in a checkout of this repository, not in a copy.") == 1
    assert (ROOT / "docs/samples").is_dir()
    assert not [path for path in files if path.startswith("docs/samples/")]


def test_contents_come_from_one_place() -> None:
    """What is managed and what is the copier's have no file in common."""
    made: Contents = contents(Answers.read({"name": "contoso-hr"}), WHEEL, ROOT)
    assert not set(made.managed) & set(made.copiers)
    assert made.managed[f"tools/{WHEEL[0]}"] == WHEEL[1]


def test_page_states_the_limits_that_are_tested() -> None:
    """docs/starter.md names the size of a copy, and the files that an update never touches."""
    page = (ROOT / "docs/starter.md").read_text()
    assert f"at most {MAX_FILES} files and {MAX_PYTHON_LINES:,} lines" in page
    (row,) = re.findall(r"\| (.*) \| the starter, once \|", page)
    assert set(re.findall(r"`([^`]+)`", row)) == {"claims/providers/<name>.py", "tests/", *_WRITTEN_ONCE}
