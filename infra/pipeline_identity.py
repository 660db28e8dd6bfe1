"""The identity of one GitHub environment: whom Entra trusts as it, and what it may do in Azure.

Azure and Microsoft Graph are reached through `az`, as whoever is signed in there.

Source: Microsoft Graph v1.0 ``application-upsert``, ``application-post-federatedidentitycredentials``,
``application-list-federatedidentitycredentials``.
"""

import functools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_TRUST: Final = {"issuer": "https://token.actions.githubusercontent.com", "audiences": ["api://AzureADTokenExchange"]}
_GRAPH: Final = "https://graph.microsoft.com/v1.0"
#: A new object is not seen by every replica of the directory at once.
_TRIES: Final = 6
_PAUSE_S: Final = 5.0


class PipelineError(Exception):
    """Raised when something cannot be read or made; the message says what, why and what to do."""


class NotFoundError(PipelineError):
    """Raised when Microsoft Graph or GitHub has no such object."""


def run_program(words: Sequence[str], stdin: str = "") -> str:
    """Return what a program on the PATH printed.

    Raises:
        PipelineError: It is not installed, or failed.
    """
    program = shutil.which(words[0])
    if program is None:
        raise PipelineError(f"{words[0]} is not installed: install it, and sign in with it")
    command = [program, *words[1:]]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        kind = NotFoundError if re.search(r"ResourceNotFound|HTTP 404", done.stderr) else PipelineError
        raise kind(f"{' '.join(words[:3])} exited with {done.returncode}: {done.stderr.strip()[-400:]!r}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Identity:
    """An app registration with one federated credential and some roles.

    Attributes:
        run: Runs `az` and returns what it printed.
        subscription: In whose tenant the registration is.
        name: The registration's unique name, and what people see.
        credential: The name of the federated credential.
        subject: Of the tokens that are trusted.
        roles: All that it has.
        scope: Where they hold.
        pause: Waits for some seconds.
    """

    run: Callable[..., str]
    subscription: str
    name: str
    credential: str
    subject: str
    roles: frozenset[str]
    scope: str
    pause: Callable[[float], None] = time.sleep

    def make(self) -> str:
        """Create what is missing, correct what is wrong, and return the client id.

        Raises:
            PipelineError: `az` refuses.
        """
        self._graph("patch", self._path, {"displayName": self.name}, create=True)
        application = self._patiently(functools.partial(self._graph, "get", self._path))
        principal_id = self._patiently(functools.partial(self._principal_id, application["appId"]))
        self._patiently(functools.partial(self._trust, application["id"]))
        for role in sorted(self.roles - {held for held, where in self._roles(principal_id) if where == self.scope}):
            who = ("--assignee-object-id", principal_id, "--assignee-principal-type", "ServicePrincipal")
            self._az("role", "assignment", "create", "--role", role, "--scope", self.scope, *who)
        return str(application["appId"])

    def client_id(self) -> str | None:
        """Return the client id; None where there is no registration."""
        try:
            return str(self._graph("get", self._path)["appId"])
        except NotFoundError:
            return None

    def problems(self) -> Iterator[str]:
        """Yield what is missing, wrong, or more than needed, one sentence each."""
        try:
            application = self._graph("get", self._path)
            yield from self._credential_problems(application["id"])
            principal = self._graph("get", f"/servicePrincipals(appId='{application['appId']}')")
        except NotFoundError:
            yield f"the app registration {self.name} or its service principal is missing; `make` creates it"
            return
        wanted, held = {(role, self.scope) for role in self.roles}, self._roles(principal["id"])
        yield from (
            f"the role {role} on {scope} is missing; `make` assigns it" for role, scope in sorted(wanted - held)
        )
        yield from (f"it needs no role {role!r} on {scope!r}: remove it" for role, scope in sorted(held - wanted))

    @property
    def _path(self) -> str:
        return f"/applications(uniqueName='{self.name}')"

    def _principal_id(self, client_id: str) -> str:
        try:
            return str(self._graph("get", f"/servicePrincipals(appId='{client_id}')")["id"])
        except NotFoundError:
            return str(self._graph("post", "/servicePrincipals", {"appId": client_id})["id"])

    def _trust(self, application_id: str) -> None:
        path = f"/applications/{application_id}/federatedIdentityCredentials"
        wanted = {"name": self.credential, "subject": self.subject, **_TRUST}
        found = next((one for one in self._graph("get", path)["value"] if one["name"] == self.credential), None)
        if found is None:
            self._graph("post", path, wanted)
        elif any(found.get(member) != value for member, value in wanted.items()):
            del wanted["name"]  # cannot be changed
            self._graph("patch", f"{path}/{found['id']}", wanted)

    def _credential_problems(self, application_id: str) -> Iterator[str]:
        credentials = self._graph("get", f"/applications/{application_id}/federatedIdentityCredentials")["value"]
        if not any(one["name"] == self.credential for one in credentials):
            yield f"the federated credential {self.credential} is missing; `make` creates it"
        for one in credentials:
            if one["name"] != self.credential:
                yield f"a second federated credential trusts {one.get('subject')!r}: delete it"
                continue
            for member, value in {"subject": self.subject, **_TRUST}.items():
                if one.get(member) != value:
                    yield f"the federated credential's {member} is {one.get(member)!r}, expected {value!r}"

    def _roles(self, principal_id: str) -> set[tuple[str, str]]:
        listed = json.loads(self._az("role", "assignment", "list", "--all", "--assignee", principal_id))
        return {(one["roleDefinitionName"], one["scope"]) for one in listed}

    def _az(self, *words: str, stdin: str = "") -> str:
        return self.run(("az", *words, "--subscription", self.subscription, "--output", "json"), stdin)

    def _graph(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, create: bool = False) -> Any:
        """Send a request to Microsoft Graph; the body goes through stdin, because Windows' `az` breaks quotes."""
        words = ["rest", "--method", method, "--url", _GRAPH + path]
        words += [] if body is None else ["--body", "@-"]
        words += ["--headers", "Prefer=create-if-missing"] if create else []
        printed = self._az(*words, stdin="" if body is None else json.dumps(body))
        return json.loads(printed) if printed.strip() else {}

    def _patiently[T](self, step: Callable[[], T]) -> T:
        for _ in range(_TRIES - 1):
            try:
                return step()
            except PipelineError:
                self.pause(_PAUSE_S)
        return step()
