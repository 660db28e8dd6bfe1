"""What the tenant should contain: the names of the objects and the values that follow from flags and environment.

Names carry the environment's name, because objects are found by their names alone. Source of the forms: Microsoft Graph
v1.0 ``application-upsert.md`` (``uniqueName`` cannot be changed once it is set), entra-docs
``custom-extension-tokenissuancestart-configuration.md`` (``api://{host}/{appId}``).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from selftest.base.cannot_run import CannotRun
from selftest.base.endpoint_url import CALLOUT_PATH, HEALTH_PATH
from selftest.contract import is_guid
from selftest.judge.claims_file import read_claims_file
from selftest.judge.mapping import name_in_token
from selftest.judge.restricted_claims import restriction
from selftest.tenant.graph.objects import SAMPLE_CLAIMS, resource_id

ENVIRONMENT: Final = "AZURE_ENV_NAME"
HOST: Final = "ENDPOINT_HOST"
CLAIMS: Final = "ENTRA_CLAIMS"
CLAIMS_FROM: Final = "ENTRA_CLAIMS_FROM"
#: The phases that can be chosen; D is done for the applications that are enabled.
PHASES: Final = ("A", "B", "C")

#: As azd accepts it for the name of an environment.
_ENVIRONMENT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z)(?![0-9.]+\Z){_LABEL}(?:\.{_LABEL})+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim: its name in the endpoint's reply, case-sensitive, and its name in the token."""

    name: str
    token_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the tenant should contain.

    Attributes:
        environment: The azd environment's name; part of every object's name.
        host: Of the endpoint, as Entra calls it; None while there is none yet (phase A).
        claims: The mapped claims; None: the existing ones, and the sample provider's where there are none.
        clients: The client ids of the applications whose sign-ins get claims (phase D); mostly empty.
        replace_policy: Whether another claims mapping policy may be unassigned from such an application.
        move: Whether an extension that calls another host may be changed to this one.
    """

    environment: str
    host: str | None = None
    claims: tuple[Claim, ...] | None = None
    clients: tuple[str, ...] = ()
    replace_policy: bool = False
    move: bool = False

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        *,
        environment: str | None = None,
        host: str | None = None,
        claims: str | None = None,
        claims_from: Path | None = None,
        clients: Sequence[str] = (),
        replace_policy: bool = False,
        move: bool = False,
        needs_host: bool = False,
    ) -> Self:
        """Read flags, and the environment and the claims file for what they leave out.

        Raises:
            CannotRun: With every fault that was found.
        """
        name = environment or environ.get(ENVIRONMENT) or ""
        host = (host or environ.get(HOST) or "").lower() or None
        faults = []
        if not name:
            faults.append(f"which environment? Set {ENVIRONMENT} or --env: the names of all objects contain it")
        elif not is_environment_name(name):
            faults.append(
                f"--env {name[:64]!r} is not the name of an azd environment: letters, digits, '.', '_' and '-'"
            )
        if host is None and needs_host:
            faults.append(f"which host? Set {HOST} or --host: the host name that Entra calls; --phase A needs none")
        if host is not None and not _HOST_NAME.fullmatch(host):
            faults.append(
                f"the host {host[:80]!r} is not a public host name, as app.azurewebsites.net; no https://, no path"
            )
        faults += [f"--enable {each[:64]!r} is not a client id (GUID)" for each in clients if not is_guid(each)]
        if claims is None and claims_from is None and environ.get(CLAIMS_FROM):
            claims_from = Path(environ[CLAIMS_FROM])
        if claims_from is None:
            read, wrong = _claims("--claims", _pairs(claims if claims is not None else environ.get(CLAIMS) or None))
        else:
            read, wrong = _claims(str(claims_from), read_claims_file(claims_from).items())
        if faults := faults + wrong:
            raise CannotRun("\n".join(faults))
        apps = tuple(dict.fromkeys(each.lower() for each in clients))
        return cls(environment=name, host=host, claims=read, clients=apps, replace_policy=replace_policy, move=move)

    @property
    def unique_name(self) -> str:
        """Return the name of the app registration for Graph; it is set once and never changes."""
        return f"claims-endpoint-{self.environment}"

    @property
    def display_name(self) -> str:
        """Return the name of app registration and extension for people."""
        return f"Claims endpoint ({self.environment})"

    def name_for(self, client: str) -> str:
        """Return the name of the policy and the listener of one client application."""
        return f"{self.display_name} for {client}"

    def client_of(self, name: object) -> str | None:
        """Return the client id in such a name; None for the name of something else."""
        prefix = self.name_for("")
        text = str(name)
        return text.removeprefix(prefix) if text.startswith(prefix) and is_guid(text.removeprefix(prefix)) else None

    @property
    def target_url(self) -> str:
        """Return the URL that Entra calls."""
        return f"https://{self._host}{CALLOUT_PATH}"

    @property
    def health_url(self) -> str:
        """Return the URL at which the endpoint reports whether it has its keys."""
        return f"https://{self._host}{HEALTH_PATH}"

    def resource_id(self, app_id: str) -> str:
        """Return the identifier URI that the extension names."""
        return resource_id(self._host, app_id)

    @property
    def wanted_claims(self) -> tuple[Claim, ...]:
        """Return the claims of new objects."""
        return self.claims or tuple(Claim(name=name, token_name=name) for name in SAMPLE_CLAIMS)

    @property
    def _host(self) -> str:
        if self.host is None:
            raise CannotRun(f"which host? Set {HOST} or --host: the host name that Entra calls")
        return self.host


def is_environment_name(name: str) -> bool:
    """Whether it is the name of an azd environment, which may become part of a path."""
    return _ENVIRONMENT_NAME.fullmatch(name) is not None


def _pairs(listed: str | None) -> list[tuple[str, str]] | None:
    """Read ``name`` or ``name:token-name``, comma-separated."""
    if listed is None:
        return None
    parts = [part.strip().partition(":") for part in listed.split(",") if part.strip()]
    return [(name.strip(), (new or name).strip()) for name, _, new in parts]


def _claims(source: str, pairs: Iterable[tuple[str, str]] | None) -> tuple[tuple[Claim, ...] | None, list[str]]:
    """Return the claims, and the faults of what the source says."""
    if pairs is None:
        return None, []
    claims = tuple(Claim(name=name, token_name=token_name) for name, token_name in pairs)
    faults = [] if claims else [f"{source} names no claim"]
    faults += [
        f"{source}: {each.name[:64]!r} has no name on one side"
        for each in claims
        if not all((each.name, each.token_name))
    ]
    faults += [
        f"{source}: a policy may not emit {each.token_name[:64]!r}; give {each.name[:64]!r} another name in the token, "
        f"as {name_in_token(each.name)[:64]!r}"
        for each in claims
        if restriction(each.token_name, "jwt")
    ]
    for side in ("name", "token_name"):
        names = [str(getattr(each, side)) for each in claims]
        faults += [
            f"{source} names {name[:64]!r} twice" for name in sorted({one for one in names if names.count(one) > 1})
        ]
    return claims, list(dict.fromkeys(faults))
