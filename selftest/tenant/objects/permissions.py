"""Which permissions a command needs, held against those of the token before anything is written.

What is needed for writing follows from what there is to write: whoever lacks the right to consent can go on once
somebody else has consented. Permissions of an account's directory roles are not in a token; Graph tells about those.

Source: `selftest.tenant.graph.surface`, which has the permissions of each page.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from selftest.tenant.graph.surface import Permissions, permissions_for
from selftest.tenant.graph.token_permissions import TokenPermissions, missing
from selftest.tenant.objects.errors import Unprepared
from selftest.tenant.objects.steps.activation import POLICIES
from selftest.tenant.objects.steps.extension import EXTENSIONS
from selftest.tenant.objects.steps.listener import LISTENERS


class Request(NamedTuple):
    """One request to Graph.

    Attributes:
        method: of HTTP.
        path: below the version; any id does.
        of_others: whether the object may have been made by somebody else.
    """

    method: str
    path: str
    of_others: bool = False


#: Only applications can hold it, and it is good only for what the application made itself.
_OWNED: Final = "Application.ReadWrite.OwnedBy"
_PRINCIPAL: Final = "/servicePrincipals/x"
_READS: Final[Mapping[str, tuple[Request, ...]]] = {
    "A": (Request("GET", "/applications(uniqueName='x')"), Request("GET", f"{_PRINCIPAL}/appRoleAssignments")),
    "C": (Request("GET", EXTENSIONS), Request("POST", f"{EXTENSIONS}/validateAuthenticationConfiguration")),
    "D": (Request("GET", POLICIES), Request("GET", f"{_PRINCIPAL}/claimsMappingPolicies"), Request("GET", LISTENERS)),
}
#: What a phase may have to write.
_WRITES: Final[Mapping[str, tuple[Request, ...]]] = {
    "A": (
        Request("PATCH", "/applications/x"),
        Request("POST", "/servicePrincipals"),
        Request("POST", f"{_PRINCIPAL}/appRoleAssignments"),
    ),
    "B": (Request("PATCH", "/applications/x"),),
    "C": (Request("POST", EXTENSIONS),),
    "D": (
        Request("POST", POLICIES),
        Request("PATCH", "/applications/x", of_others=True),
        Request("POST", f"{_PRINCIPAL}/claimsMappingPolicies/$ref", of_others=True),
        Request("POST", LISTENERS),
    ),
}
REMOVAL: Final[tuple[Request, ...]] = (
    Request("DELETE", f"{LISTENERS}/x"),
    Request("DELETE", f"{_PRINCIPAL}/claimsMappingPolicies/x/$ref"),
    Request("PATCH", "/applications/x"),
    Request("DELETE", f"{POLICIES}/x"),
    Request("DELETE", f"{EXTENSIONS}/x"),
    Request("DELETE", "/applications/x"),
)


def require_reading(held: TokenPermissions, phases: Iterable[str], *, writing: Sequence[Request] | None = None) -> None:
    """Stop when the tenant cannot even be read; what may have to be written is named along.

    Args:
        held: by the token.
        phases: that the command is about.
        writing: what it may write; None: what the phases may.

    Raises:
        Unprepared: with every permission that is missing.
    """
    chosen = list(phases)
    reads = [request for phase in chosen for request in _READS.get(phase, ())]
    if not _missing(held, reads):
        return
    writes = [request for phase in chosen for request in _WRITES[phase]] if writing is None else writing
    raise _unprepared(held, _missing(held, [*reads, *writes]))


def require_writing(held: TokenPermissions, requests: Iterable[Request]) -> None:
    """Stop when something could not be written.

    Raises:
        Unprepared: with every permission that is missing.
    """
    if lacking := _missing(held, requests):
        raise _unprepared(held, lacking)


def scopes(phases: Iterable[str], *, writing: Sequence[Request] | None = None) -> tuple[str, ...]:
    """Name the delegated permissions to ask a person for: enough for everything, and no more."""
    chosen = list(phases)
    writes = [request for phase in chosen for request in _WRITES[phase]] if writing is None else writing
    names: set[str] = set()
    for request in [*writes, *(request for phase in chosen for request in _READS.get(phase, ()))]:
        alternatives = _without_owned(permissions_for(request.method, request.path))
        if not any(alternative <= names for alternative in alternatives):
            names |= alternatives[0]
    return tuple(sorted(names))


def _missing(held: TokenPermissions, requests: Iterable[Request]) -> list[str]:
    wanted = []
    for request in requests:
        permissions = permissions_for(request.method, request.path)
        wanted.append(_without_owned(permissions) if request.of_others or held.delegated else permissions)
    return missing(held, wanted)


def _without_owned(permissions: Permissions) -> Permissions:
    return tuple(alternative for alternative in permissions if _OWNED not in alternative)


def _unprepared(held: TokenPermissions, lacking: Iterable[str]) -> Unprepared:
    names = "\n  ".join(dict.fromkeys(lacking))
    if held.delegated:
        advice = "Sign in with --credential device-code, which asks for them; some need an administrator's consent"
    else:
        advice = "Grant them to the application that signs in, with an administrator's consent"
    return Unprepared(f"the sign-in lacks permissions, so nothing was written:\n  {names}\n{advice}")
