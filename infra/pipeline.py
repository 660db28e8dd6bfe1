"""``python -m infra.pipeline make|check``: what the workflows deploy and infrastructure need outside of the repository.

Each of their GitHub environments has its own identity: an app registration with one federated credential, which only
jobs of that environment can use, and the roles that its work needs. ``make`` creates what is missing and can be
repeated; ``check`` changes nothing and names every difference. GitHub is reached through `gh`; without it ``make``
prints the commands to type.

Source: Learn ``workload-identities-github-immutable-subjects``; GitHub REST ``actions/oidc``,
``deployments/environments``.
"""

import argparse
import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from infra.pipeline_identity import Identity, NotFoundError, PipelineError, run_program

_FOUND, _COULD_NOT_RUN = 1, 2
#: From this version on GitHub says whether a repository's tokens have immutable subjects.
_GH_VERSION: Final = ("--header", "X-GitHub-Api-Version: 2026-03-10")
_GUID: Final = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
#: By variable: what its value looks like. All but the client id are known from azd's environment.
_SHAPES: Final[Mapping[str, str]] = {
    "AZURE_TENANT_ID": _GUID,
    "AZURE_SUBSCRIPTION_ID": _GUID,
    "AZURE_RESOURCE_GROUP": r"[\w.()-]{1,90}",
    "AZURE_FUNCTION_APP": r"[A-Za-z0-9-]{2,60}",
    "ENDPOINT_HOST": r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+",
    "AZURE_ENV_NAME": r"[A-Za-z0-9-]{1,64}",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A GitHub environment, and what its jobs may do.

    Attributes:
        suffix: Of its name, after that of the app's environment.
        roles: Of its identity; no others.
        scope: Where they hold, with the names of variables in braces.
        variables: What its workflow reads.
        refs: Kinds and names of the branches and tags whose jobs may use it; None for those of pull requests.
    """

    suffix: str
    roles: frozenset[str]
    scope: str
    variables: tuple[str, ...]
    refs: frozenset[tuple[str, str]] | None


_SUBSCRIPTION: Final = "/subscriptions/{AZURE_SUBSCRIPTION_ID}"
#: The deployment makes its resource group, and assigns roles in it.
_PROVISION: Final = frozenset({"Contributor", "Role Based Access Control Administrator"})
_SIGN_IN: Final = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID")
_APP: Final = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_FUNCTION_APP", "ENDPOINT_HOST")
_AZD: Final = ("AZURE_ENV_NAME", "AZD_ENVIRONMENT")
_REFS: Final = frozenset({("branch", "main"), ("tag", "v*")})
PARTS: Final = (
    Part(
        "",
        frozenset({"Website Contributor"}),
        _SUBSCRIPTION + "/resourceGroups/{AZURE_RESOURCE_GROUP}",
        (*_SIGN_IN, *_APP),
        _REFS,
    ),
    Part("-infrastructure", _PROVISION, _SUBSCRIPTION, (*_SIGN_IN, *_AZD), _REFS),
    Part("-preview", _PROVISION, _SUBSCRIPTION, (*_SIGN_IN, *_AZD), None),
)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The pipeline of one app.

    Attributes:
        run: Runs `az` or `gh` and returns what it printed.
        gh: Whether `gh` is installed.
        repository: ``owner/name``.
        environment: The GitHub environment of the app.
        prefix: What the subject of the repository's tokens starts with.
        values: Of the variables, except the client id.
    """

    run: Callable[..., str]
    gh: bool
    repository: str
    environment: str
    prefix: str
    values: Mapping[str, str]

    def make(self) -> Iterator[str]:
        """Create what is missing, and yield what was made; without `gh`, the commands to type."""
        for part in PARTS:
            name, identity = self.environment + part.suffix, self.identity(part)
            client_id = identity.make()
            yield f"{name}: {client_id} is {' and '.join(sorted(part.roles))} of {identity.scope}"
            for command in self._github_commands(part, name, client_id):
                if self.gh:
                    self.run(command)
                else:
                    yield shlex.join(command)
            yield f"{name}: name its reviewers at https://github.com/{self.repository}/settings/environments"

    def check(self) -> Iterator[str]:
        """Yield what is missing, wrong, or more than needed, one sentence each."""
        for part in PARTS:
            name, identity = self.environment + part.suffix, self.identity(part)
            problems = [*identity.problems()]
            if self.gh:
                problems += self._github_problems(part, name, identity.client_id() or "")
            yield from (f"{name}: {problem}" for problem in problems)

    def identity(self, part: Part) -> Identity:
        """Return the identity of an environment's jobs, which may not exist yet."""
        name = self.environment + part.suffix
        return Identity(
            self.run,
            self.values["AZURE_SUBSCRIPTION_ID"],
            name=f"github-{self.repository.replace('/', '-')}-{name}",
            credential=name,
            subject=f"{self.prefix}:environment:{name}",
            roles=part.roles,
            scope=part.scope.format_map(self.values),
        )

    def _variables(self, part: Part, client_id: str) -> dict[str, str]:
        return {name: {**self.values, "AZURE_CLIENT_ID": client_id}[name] for name in part.variables}

    def _github_commands(self, part: Part, name: str, client_id: str) -> Iterator[Sequence[str]]:
        """Yield the commands that make a GitHub environment; one that exists keeps its reviewers."""
        place = f"repos/{self.repository}/environments/{name}"
        found = self._github_environment(name) if self.gh else None
        if found is None:
            policy = ("[protected_branches]=false", "[custom_branch_policies]=true") if part.refs else ()
            flags = [word for one in policy for word in ("-F", f"deployment_branch_policy{one}")]
            yield ("gh", "api", "--method", "PUT", place, *flags)
        for kind, ref in sorted((part.refs or frozenset()) - (self._refs(name) if found else set())):
            yield ("gh", "api", f"{place}/deployment-branch-policies", "-f", f"name={ref}", "-f", f"type={kind}")
        for variable, value in self._variables(part, client_id).items():
            yield ("gh", "variable", "set", variable, "--repo", self.repository, "--env", name, "--body", value)

    def _github_environment(self, name: str) -> dict[str, Any] | None:
        try:
            return dict(json.loads(self.run(("gh", "api", f"repos/{self.repository}/environments/{name}"))))
        except NotFoundError:
            return None

    def _refs(self, name: str) -> set[tuple[str, str]]:
        place = f"repos/{self.repository}/environments/{name}/deployment-branch-policies"
        policies = json.loads(self.run(("gh", "api", place)))["branch_policies"]
        return {(one.get("type", "branch"), one["name"]) for one in policies}

    def _github_problems(self, part: Part, name: str, client_id: str) -> Iterator[str]:
        found = self._github_environment(name)
        if found is None:
            yield "GitHub has no such environment; `make` creates it"
            return
        if not any(rule["type"] == "required_reviewers" for rule in found["protection_rules"]):
            yield "the environment has no reviewers: everybody who may push could start its jobs"
        if part.refs and not (found["deployment_branch_policy"] or {}).get("custom_branch_policies"):
            yield "the environment takes jobs of every branch; restrict it to main and the tags v*"
        elif part.refs and self._refs(name) != part.refs:
            yield f"the environment takes jobs of {sorted(self._refs(name))!r}, expected {sorted(part.refs)!r}"
        listed = ("gh", "variable", "list", "--repo", self.repository, "--env", name, "--json", "name,value")
        held = {one["name"]: str(one["value"]).strip() for one in json.loads(self.run(listed))}
        for variable, value in self._variables(part, client_id).items():
            if variable not in held:
                yield f"the variable {variable} is missing"
            elif held[variable] != value:
                yield f"the variable {variable} is not that of azd's environment and of Entra; `make` sets it"


def known_values(run: Callable[..., str], azd_environment: str) -> dict[str, str]:
    """Return the values of the variables, from azd's environment.

    Raises:
        PipelineError: azd cannot be read, or a value is missing or has another form.
    """
    chosen = ("--environment", azd_environment) if azd_environment else ()
    text = run(("azd", "env", "get-values", *chosen)).strip()
    values = dict(re.findall(r'^(\w+)="?(.*?)"?$', text, re.MULTILINE)) | {"AZD_ENVIRONMENT": text}
    if subscription := values.get("AZURE_SUBSCRIPTION_ID"):
        account = ("az", "account", "show", "--subscription", subscription, "--query", "tenantId", "--output", "tsv")
        values["AZURE_TENANT_ID"] = run(account).strip()
    wrong = [name for name, shape in _SHAPES.items() if not re.fullmatch(shape, values.get(name, ""))]
    if wrong:
        raise PipelineError(f"azd's environment has no usable {', '.join(wrong)}: deploy once with `azd up`")
    return {name: values[name] for name in (*_SHAPES, "AZD_ENVIRONMENT")}


def subject_prefix(run: Callable[..., str], repository: str) -> str:
    """Return what the subject of a repository's tokens starts with; new repositories have their ids in it.

    Raises:
        PipelineError: GitHub refuses, or the repository has its own form of subjects.
    """
    form = json.loads(run(("gh", "api", *_GH_VERSION, f"repos/{repository}/actions/oidc/customization/sub")))
    if not form.get("use_default", True):
        raise PipelineError(f"{repository} has its own form of subjects: give its start with --subject-prefix")
    if not form.get("use_immutable_subject"):
        return f"repo:{repository}"
    found = json.loads(run(("gh", "api", *_GH_VERSION, f"repos/{repository}")))
    return f"repo:{found['owner']['login']}@{found['owner']['id']}/{found['name']}@{found['id']}"


def main(
    arguments: Sequence[str] | None = None, run: Callable[..., str] = run_program, *, gh: bool | None = None
) -> int:
    """Make or check. Exit code 0; 1 when something is wrong; 2 when it could not be made, or not be checked whole."""
    args = _parser().parse_args(arguments)
    gh = shutil.which("gh") is not None if gh is None else gh
    try:
        values = known_values(run, args.azd_environment)
        plain = f"repo:{args.repository}"
        prefix = args.subject_prefix or (subject_prefix(run, args.repository) if gh else plain)
        pipeline = Pipeline(run, gh, args.repository, args.environment, prefix, values)
        lines = 0
        for line in pipeline.make() if args.verb == "make" else pipeline.check():
            print(line, flush=True)
            lines += 1
    except (PipelineError, ValueError, KeyError) as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return _COULD_NOT_RUN
    if not gh:
        print("pipeline: gh is not installed: GitHub was neither changed nor checked", file=sys.stderr)
    if args.verb == "check" and lines:
        return _FOUND
    return 0 if gh else _COULD_NOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.pipeline", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("verb", choices=("make", "check"))
    add("--repository", required=True, type=_matching(r"[A-Za-z0-9-]+/[\w.-]+"), metavar="OWNER/NAME")
    add(
        "--environment", default="production", type=_matching(r"[A-Za-z0-9-]{1,60}"), metavar="NAME", help="%(default)s"
    )
    add(
        "--azd-environment", default="", type=_matching(r"[A-Za-z0-9-]{0,64}"), metavar="NAME", help="azd's own default"
    )
    add(
        "--subject-prefix",
        type=_matching(r"[\w@/.:-]+"),
        metavar="TEXT",
        help="default: as GitHub says; without gh repo:OWNER/NAME",
    )
    return parser


def _matching(pattern: str) -> Callable[[str], str]:
    def matched(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"{text!r} has another form than {pattern}")
        return text

    return matched


if __name__ == "__main__":
    sys.exit(main())
