"""``python -m infra.pipeline`` at an emulated Graph, with `az`, `azd` and `gh` played from their documentation."""

import asyncio
import json
import re
import shlex
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from infra import pipeline_identity
from infra.pipeline import PARTS, main
from infra.pipeline_identity import NotFoundError, PipelineError
from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.graph.wiring import bare_tenant

TENANT = "11111111-1111-4111-8111-111111111111"
SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
AZD = f"""AZURE_ENV_NAME="claims-prod"
AZURE_LOCATION="westeurope"
AZURE_SUBSCRIPTION_ID="{SUBSCRIPTION}"
AZURE_RESOURCE_GROUP="rg-claims-prod"
AZURE_FUNCTION_APP="func-claims-abc"
ENDPOINT_HOST="func-claims-abc.westeurope-01.azurewebsites.net"
"""
REPOSITORY = "contoso/claims"
IMMUTABLE = "repo:contoso@123/claims@456"
NAMES = ["production", "production-infrastructure", "production-preview"]


class Programs:
    """The three programs: Graph is the emulated one, role assignments and GitHub are in memory."""

    def __init__(self, server: GraphServer) -> None:
        self.server = server
        self.azd = AZD
        self.roles: list[dict[str, str]] = []
        self.subject_form: dict[str, Any] = {"use_default": True, "use_immutable_subject": True}
        self.environments: dict[str, dict[str, Any]] = {}
        self.variables: dict[str, dict[str, str]] = {}
        self.ran: list[tuple[str, ...]] = []

    def __call__(self, words: Sequence[str], stdin: str = "") -> str:
        self.ran.append(tuple(words))
        match list(words):
            case ["azd", "env", "get-values", *_]:
                return self.azd
            case ["az", "account", "show", *_]:
                return f"{TENANT}\n"
            case ["az", "rest", *flags]:
                return self._rest(_flags(flags), stdin)
            case ["az", "role", "assignment", "list", *flags]:
                return json.dumps([one for one in self.roles if one["principalId"] == _flags(flags)["--assignee"]])
            case ["az", "role", "assignment", "create", *flags]:
                given = _flags(flags)
                role = {"roleDefinitionName": given["--role"], "scope": given["--scope"]}
                self.roles.append({**role, "principalId": given["--assignee-object-id"]})
                return "{}"
            case ["gh", *rest]:
                return self._gh(rest)
        raise AssertionError(words)

    def _rest(self, flags: dict[str, str], stdin: str) -> str:
        url = flags["--url"].replace("https://graph.microsoft.com", self.server.url)
        headers = {"Authorization": f"Bearer {self.server.token()}"}
        if "--headers" in flags:
            name, _, value = flags["--headers"].partition("=")
            headers[name] = value
        if flags.get("--body") == "@-":
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(url, stdin.encode() or None, headers, method=flags["--method"].upper())  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            raise (NotFoundError if "ResourceNotFound" in text else PipelineError)(text) from error

    def _gh(self, words: list[str]) -> str:
        match words:
            case ["api", "--header", _, path] if path.endswith("/sub"):
                return json.dumps(self.subject_form)
            case ["api", "--header", _, _]:
                return json.dumps({"name": "claims", "id": 456, "owner": {"login": "contoso", "id": 123}})
            case ["api", "--method", "PUT", path, *flags]:
                policy = {"custom_branch_policies": True} if flags else None
                made: dict[str, Any] = {"protection_rules": [], "deployment_branch_policy": policy, "refs": []}
                self.environments[path.rpartition("/")[2]] = made
            case ["api", path, "-f", name, "-f", kind]:
                ref = {"name": name.removeprefix("name="), "type": kind.removeprefix("type=")}
                self.environments[path.split("/")[-2]]["refs"].append(ref)
            case ["api", path] if path.endswith("/deployment-branch-policies"):
                return json.dumps({"branch_policies": self.environments[path.split("/")[-2]]["refs"]})
            case ["api", path]:
                if path.rpartition("/")[2] not in self.environments:
                    raise NotFoundError("HTTP 404")
                return json.dumps(self.environments[path.rpartition("/")[2]])
            case ["variable", "set", name, *flags]:
                given = _flags(flags)
                self.variables.setdefault(given["--env"], {})[name] = given["--body"]
            case ["variable", "list", *flags]:
                held = self.variables.get(_flags(flags)["--env"], {})
                return json.dumps([{"name": name, "value": value} for name, value in held.items()])
            case _:
                raise AssertionError(words)
        return ""

    def application(self, name: str) -> dict[str, Any]:
        """Return an environment's app registration."""
        found = self.server.directory.lookup("applications", "uniqueName", f"github-contoso-claims-{name}")
        assert found is not None
        return found

    def credentials(self, name: str) -> list[dict[str, Any]]:
        """Return its federated credentials."""
        return self.server.directory.credentials[self.application(name)["id"]]

    def review(self) -> None:
        """Name reviewers, which only a person can do; by then every replica has seen the new objects."""
        self.server.directory._unseen.clear()
        for environment in self.environments.values():
            environment["protection_rules"] = [{"type": "required_reviewers"}]


def _flags(words: Sequence[str]) -> dict[str, str]:
    return {word: value for word, value in zip(words, [*words[1:], ""], strict=True) if word.startswith("--")}


@pytest.fixture
async def programs(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Programs]:
    """Return the programs of somebody who may do everything, in a tenant whose replicas lag behind."""
    monkeypatch.setattr(pipeline_identity, "_PAUSE_S", 0.0)
    async with GraphServer(bare_tenant(), lag_requests=2) as server:
        yield Programs(server)


async def _run(programs: Programs, verb: str, *more: str, gh: bool = True) -> int:
    return await asyncio.to_thread(main, [verb, "--repository", REPOSITORY, *more], programs, gh=gh)


async def _made(programs: Programs) -> None:
    assert await _run(programs, "make") == 0
    programs.review()


async def test_what_is_made_passes_the_check(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    """Three identities, each trusted for its environment alone; a second run changes nothing."""
    await _made(programs)
    assert await _run(programs, "check") == 0
    for part, name in zip(PARTS, NAMES, strict=True):
        (credential,) = programs.credentials(name)
        assert credential["subject"] == f"{IMMUTABLE}:environment:{name}"
        assert credential["issuer"] == "https://token.actions.githubusercontent.com"
        assert credential["audiences"] == ["api://AzureADTokenExchange"]
        assert programs.variables[name].keys() == set(part.variables)
        assert programs.variables[name]["AZURE_CLIENT_ID"] == programs.application(name)["appId"]
    before, roles = programs.server.directory.export(), list(programs.roles)
    environments = json.dumps(programs.environments)
    assert await _run(programs, "make") == 0
    assert (programs.server.directory.export(), programs.roles) == (before, roles)
    assert json.dumps(programs.environments) == environments
    assert capsys.readouterr().err == ""


async def test_who_has_no_gh_gets_the_commands(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    """Typed one after another, they make what `gh` would have made."""
    assert await _run(programs, "make", "--subject-prefix", IMMUTABLE, gh=False) == 2
    assert not [words for words in programs.ran if words[0] == "gh"]
    for command in re.findall(r"^gh (?:.|\n)*?(?=\ngh |\nproduction)", capsys.readouterr().out, re.MULTILINE):
        programs(shlex.split(command))
    programs.review()
    assert await _run(programs, "check") == 0


async def test_an_older_repository_has_names_in_its_subjects(programs: Programs) -> None:
    """GitHub says which; a form of its own has to be given."""
    programs.subject_form = {"use_default": True, "use_immutable_subject": False}
    await _made(programs)
    assert programs.credentials("production")[0]["subject"] == "repo:contoso/claims:environment:production"
    programs.subject_form = {"use_default": False, "include_claim_keys": ["repository_id"]}
    assert await _run(programs, "check") == 2


def _credential(**changes: object) -> Callable[[Programs], None]:
    return lambda programs: programs.credentials("production")[0].update(changes)


def _second_credential(programs: Programs) -> None:
    held = programs.credentials("production")
    held.append({**held[0], "id": "x", "name": "other", "subject": "repo:evil/claims:pull_request"})


def _environment(**changes: object) -> Callable[[Programs], None]:
    return lambda programs: programs.environments["production"].update(changes)


def _variable(name: str, value: str | None) -> Callable[[Programs], None]:
    def changed(programs: Programs) -> None:
        held = programs.variables["production"]
        if value is None:
            del held[name]
        else:
            held[name] = value

    return changed


@pytest.mark.parametrize(
    ("mistake", "found"),
    [
        (_credential(issuer="https://token.actions.githubusercontent.com/"), "credential's issuer is"),
        (_credential(subject="repo:contoso/claims:environment:production"), "credential's subject is"),
        (_credential(subject=f"{IMMUTABLE}:environment:Production"), "credential's subject is"),
        (_credential(audiences=["api://azureadtokenexchange"]), "credential's audiences is"),
        (lambda programs: programs.credentials("production").clear(), "federated credential production is missing"),
        (_second_credential, "second federated credential trusts 'repo:evil"),
        (lambda programs: programs.roles.pop(0), "the role Website Contributor on /subscriptions/"),
        (lambda programs: programs.roles[0].update(roleDefinitionName="Owner"), "it needs no role 'Owner'"),
        (lambda programs: programs.roles[0].update(scope=f"/subscriptions/{SUBSCRIPTION}"), "it needs no role"),
        (lambda programs: programs.environments.pop("production"), "GitHub has no such environment"),
        (_environment(protection_rules=[{"type": "branch_policy"}]), "the environment has no reviewers"),
        (_environment(deployment_branch_policy=None), "takes jobs of every branch"),
        (_environment(refs=[{"name": "*", "type": "branch"}]), "takes jobs of [('branch', '*')]"),
        (_variable("AZURE_CLIENT_ID", None), "the variable AZURE_CLIENT_ID is missing"),
        (_variable("AZURE_CLIENT_ID", TENANT), "the variable AZURE_CLIENT_ID is not that of"),
        (_variable("ENDPOINT_HOST", "https://other.example"), "the variable ENDPOINT_HOST is not that of"),
    ],
)
async def test_each_mistake_is_found(
    mistake: Callable[[Programs], object], found: str, programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence names the environment and what is wrong; what `make` can correct it corrects."""
    await _made(programs)
    mistake(programs)
    capsys.readouterr()
    assert await _run(programs, "check") == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("production: ") and found in line for line in lines), lines
    if not re.search("second|no role|no reviewers|takes jobs|no such", found):
        assert await _run(programs, "make") == 0
        assert await _run(programs, "check") == 0


async def test_nothing_is_made_before_the_first_deployment(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    """A value that azd does not have, or in another form, is named, and no object is created."""
    programs.azd = AZD.replace("ENDPOINT_HOST", "HOST").replace("rg-claims-prod", "rg; rm")
    assert await _run(programs, "make") == 2
    printed = capsys.readouterr().err
    assert "no usable AZURE_RESOURCE_GROUP, ENDPOINT_HOST: deploy once with `azd up`" in printed
    assert programs.server.writes == []
    assert await _run(programs, "check") == 2


async def test_without_anything_each_environment_is_named(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check makes nothing."""
    assert await _run(programs, "check") == 1
    printed = capsys.readouterr().out
    assert all(f"{name}: the app registration github-contoso-claims-{name}" in printed for name in NAMES)
    assert programs.server.writes == []
