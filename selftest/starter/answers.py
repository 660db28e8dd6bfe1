"""What a copy is made for: its name, tenant, registration and data source."""

import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

from selftest.base.cannot_run import CannotRun
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.contract import is_guid

#: By the word of ``--provider``: what the claims come from.
PROVIDERS: Final[Mapping[str, str]] = {
    "own": "code of your own",
    "profile_api": "an HTTP API of yours",
    "graph": "Microsoft Graph",
    "table": "an Azure table",
}
#: Modules that are in ``claims/providers/`` already.
_TAKEN: Final = frozenset({"graph", "profile_api", "sample", "table"})
_NAME: Final = re.compile(r"[a-z](?:-?[a-z0-9]){2,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers from which a copy is rendered.

    Attributes:
        name: Of the project, like ``contoso-claims``; the provider's module and class are named after it.
        tenant: The id of the tenant whose sign-ins get claims; empty if it is not known yet.
        audience: The client id of the endpoint's app registration; empty if it is not known yet.
        provider: A key of `PROVIDERS`.
    """

    name: str
    tenant: str = ""
    audience: str = ""
    provider: str = "own"

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Return validated answers; GUIDs are converted to lower case.

        Raises:
            CannotRun: With every invalid answer.
        """
        names = [each.name for each in fields(cls)]
        answers = cls(**{name: str(given[name]).strip() for name in names if given.get(name) is not None})
        if problems := answers.problems():
            raise CannotRun("\n".join(problems))
        return cls(**{name: getattr(answers, name).lower() for name in names})

    def problems(self) -> list[str]:
        """Return what is wrong with the answers, one sentence each."""
        return [problem for name, check in _CHECKS.items() if (problem := check(getattr(self, name)))]

    def as_json(self) -> dict[str, str]:
        """Return what the manifest stores."""
        return asdict(self)

    @property
    def module(self) -> str:
        """The provider's module in ``claims/providers/``."""
        return self.name.replace("-", "_")

    @property
    def class_prefix(self) -> str:
        """The name in the form of a class."""
        return "".join(word.capitalize() for word in self.name.split("-"))

    def placeholders(self) -> dict[str, str]:
        """Return the values of the template's placeholders."""
        tenant, audience = self.tenant or DEFAULT_TENANT.tenant_id, self.audience or DEFAULT_TENANT.audience_app_id
        return {
            "name": self.name,
            "module": self.module,
            "class_prefix": self.class_prefix,
            "provider": self.provider,
            "provider_title": PROVIDERS[self.provider],
            "tenant": self.tenant or "<tenantId>",
            "audience": self.audience or "made by the first deployment",
            "local_tenant": tenant,
            "local_audience": audience,
        }


def ask(given: Mapping[str, Any], defaults: Answers, read_line: Callable[[str], str]) -> dict[str, Any]:
    """Return the answers, asking for those that are missing; an invalid one is asked for again.

    Args:
        given: By the name of the answer; None where no flag gives it.
        defaults: Taken for an empty line.
        read_line: Shows a prompt and returns the line that was typed.
    """
    answers = dict(given)
    for name, question in _QUESTIONS.items():
        default = getattr(defaults, name)
        prompt = f"{question} [{default or 'not known yet'}]: "
        while answers.get(name) is None:
            typed = read_line(prompt).strip() or default
            problem = _CHECKS[name](typed)
            prompt = f"{problem}\n{question}: "
            answers[name] = typed if problem is None else None
    return answers


def name_from(directory: str) -> str:
    """Return a folder's name in the form of a project's name; it may still be invalid."""
    return re.sub(r"[^a-z0-9]+", "-", directory.lower()).strip("-")


def _name_problem(name: str) -> str | None:
    if not _NAME.fullmatch(name):
        return f"--name must be 3 to 40 lower-case letters, digits and single hyphens, got {name[:60]!r}"
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module in _TAKEN:
        return f"--name becomes the module claims/providers/{module}.py, and that name is taken"
    return None


def _guid_problem(name: str) -> Callable[[str], str | None]:
    def problem(text: str) -> str | None:
        return f"--{name} must be a GUID, got {text[:60]!r}" if text and not is_guid(text) else None

    return problem


def _provider_problem(provider: str) -> str | None:
    return None if provider in PROVIDERS else f"--provider must be one of {', '.join(PROVIDERS)}, got {provider[:60]!r}"


_CHECKS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "name": _name_problem,
    "tenant": _guid_problem("tenant"),
    "audience": _guid_problem("audience"),
    "provider": _provider_problem,
}
_QUESTIONS: Final[Mapping[str, str]] = {
    "name": "Name of the project (letters, digits and hyphens)",
    "tenant": "Tenant id whose sign-ins get claims",
    "audience": "Client id of the endpoint's app registration",
    "provider": f"Where the claims come from ({', '.join(PROVIDERS)})",
}
