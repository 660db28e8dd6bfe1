"""Which permissions a command needs, compared with those of the token before anything is written.

The permissions for writing follow from what has to be written: a person without the right to consent can go on once
somebody else has consented. The permissions of an account's directory roles are not in a token; Graph reports those.

Source: `selftest.tenant.graph.surface`, which has the permissions of each page.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from selftest.base.cannot_run import CannotRun
from selftest.judge.texts import own_table
from selftest.tenant.graph.surface import Permissions, permissions_for
from selftest.tenant.graph.token_permissions import TokenPermissions, missing


class NeededRequest(NamedTuple):
    """A request that has to be allowed.

    Attributes:
        method: Of HTTP.
        path: Below the version; with any id.
        of_others: Whether the object may have been created by somebody else.
    """

    method: str
    path: str
    of_others: bool = False


#: Only applications can have it, and it covers only what the application created itself.
_OWNED: Final = "Application.ReadWrite.OwnedBy"


def _request(text: str) -> NeededRequest:
    """Read an entry of ``permissions.toml``."""
    method, path, *others = text.split(maxsplit=2)
    return NeededRequest(method, path, of_others=bool(others))


_TABLES: Final[Mapping[str, Mapping[str, tuple[NeededRequest, ...]]]] = {
    kind: {phase: tuple(map(_request, requests)) for phase, requests in phases.items()}
    for kind, phases in own_table(__file__).items()
}
REMOVAL: Final = _TABLES["remove"]["all"]


def require_reading(
    held: TokenPermissions, phases: Sequence[str], *, writing: Sequence[NeededRequest] | None = None
) -> None:
    """Check that the tenant can be read; where it cannot, also name what writing will need.

    Args:
        held: By the token.
        phases: Of the command.
        writing: What the command may write; None: what the phases may.

    Raises:
        CannotRun: With every permission that is missing.
    """
    reads = _reads(phases)
    if _missing(held, reads):
        require_writing(held, [*reads, *_writes(phases, writing)])


def require_writing(held: TokenPermissions, requests: Iterable[NeededRequest]) -> None:
    """Check that all requests are allowed.

    Raises:
        CannotRun: With every permission that is missing.
    """
    if not (lacking := _missing(held, requests)):
        return
    names = "\n  ".join(dict.fromkeys(lacking))
    if held.delegated:
        advice = "Sign in with --credential device-code, which requests them; some need an administrator's consent"
    else:
        advice = "Grant them to the application that signs in, with an administrator's consent"
    raise CannotRun(f"the sign-in lacks permissions, so nothing was written:\n  {names}\n{advice}")


def scopes(phases: Sequence[str], *, writing: Sequence[NeededRequest] | None = None) -> tuple[str, ...]:
    """Return the delegated permissions to request from a person: enough for everything, and no more."""
    names: set[str] = set()
    for request in [*_writes(phases, writing), *_reads(phases)]:
        alternatives = _without_owned(permissions_for(request.method, request.path))
        if not any(alternative <= names for alternative in alternatives):
            names |= alternatives[0]
    return tuple(sorted(names))


def _reads(phases: Sequence[str]) -> list[NeededRequest]:
    return [request for phase in phases for request in _TABLES["read"].get(phase, ())]


def _writes(phases: Sequence[str], writing: Sequence[NeededRequest] | None) -> Sequence[NeededRequest]:
    return [request for phase in phases for request in _TABLES["write"][phase]] if writing is None else writing


def _missing(held: TokenPermissions, requests: Iterable[NeededRequest]) -> list[str]:
    wanted = []
    for request in requests:
        permissions = permissions_for(request.method, request.path)
        wanted.append(_without_owned(permissions) if request.of_others or held.delegated else permissions)
    return missing(held, wanted)


def _without_owned(permissions: Permissions) -> Permissions:
    return tuple(alternative for alternative in permissions if _OWNED not in alternative)
