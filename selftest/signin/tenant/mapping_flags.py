"""The flags about the way of a returned claim into the token, for every command that judges a reply.

A claim reaches the token where the application's claims mapping policy names it; the portal offers what the extension
registers. Both come from files of their own, or from one tenant file, in which the playground has them too.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from selftest.base.bounded_file import read_text
from selftest.base.cannot_run import CannotRun
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.judge.mapping import MAX_POLICY_BYTES, MappingError, MappingPolicy
from selftest.judge.restricted_claims import TokenFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selftest.signin.tenant.directory import App


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsRoute:
    """What decides which returned claims reach the token.

    Attributes:
        token: The format of the application's token.
        mapping: The application's policy; None where nothing was given, so that nothing is compared with it.
        registered: The extension's ``claimsForTokenConfiguration``; None as above.
    """

    token: TokenFormat
    mapping: MappingPolicy | None
    registered: frozenset[str] | None

    @property
    def is_given(self) -> bool:
        """Whether there is anything to compare the returned claims with."""
        return self.mapping is not None or self.registered is not None


def add_mapping_arguments(parser: argparse.ArgumentParser, *, saml: bool = True) -> argparse._ArgumentGroup:
    """Add the flags and return their group; without ``saml`` the kind of sign-in says which format the token has."""
    group = parser.add_argument_group(
        "the way into the token",
        "A returned claim reaches the token if the application's claims mapping policy names it. What the policy "
        "lacks is shown with the entry to add.",
    )
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--mapping", type=Path, metavar="FILE", help="the application's claims mapping policy, as Graph returns it"
    )
    which.add_argument(
        "--tenant-file",
        type=Path,
        metavar="FILE",
        help="instead of --mapping and --registered: the file of the playground, which has both",
    )
    group.add_argument(
        "--client",
        metavar="NAME",
        help="with --tenant-file: the application in it (default: the sample application, or the only one)",
    )
    group.add_argument(
        "--registered",
        type=_names,
        metavar="NAMES",
        help="with --mapping or alone: the extension's claimsForTokenConfiguration, comma-separated",
    )
    if saml:
        group.add_argument("--saml", action="store_true", help="the application gets a SAML assertion")
    return group


def read_route(args: argparse.Namespace, *, saml: bool) -> ClaimsRoute:
    """Read the files that the flags name.

    Raises:
        CannotRun: A file cannot be used, or flags contradict each other.
    """
    token: TokenFormat = "saml" if saml else "jwt"
    if args.tenant_file is None:
        if args.client is not None:
            raise CannotRun("--client is the name of an application in a tenant file: give --tenant-file, too")
        return ClaimsRoute(token=token, mapping=_policy(args.mapping), registered=args.registered)
    if args.registered is not None:
        raise CannotRun("--registered is in the tenant file, as claims of the extension: change it there")
    from selftest.signin.tenant.file import read_tenant_file  # noqa: PLC0415 - judge without such a file needs no keys

    directory = read_tenant_file(args.tenant_file)
    app = _app(directory.apps, args.client, "saml" if saml else "oidc", args.tenant_file)
    listener = directory.listener_for(app)
    return ClaimsRoute(
        token=token,
        mapping=app.mapping or MappingPolicy(entries=()),
        registered=None if listener is None else listener.extension.claims,
    )


def _app(apps: "Sequence[App]", name: str | None, protocol: str, path: Path) -> "App":
    fitting = [app for app in apps if app.protocol == protocol]
    if name is not None:
        found = [app for app in fitting if app.key == name]
    else:
        found = [app for app in fitting if app.client_id == DEFAULT_TENANT.client.app_id] or fitting
    if len(found) != 1:
        names = ", ".join(app.key for app in fitting) or "none"
        kind = protocol.upper()
        raise CannotRun(f"--client: which application of {path}? For {kind} it has {names}")
    return found[0]


def _policy(path: Path | None) -> MappingPolicy | None:
    try:
        return None if path is None else MappingPolicy.parse(read_text(path, MAX_POLICY_BYTES))
    except MappingError as error:
        raise CannotRun(f"{path} is not a claims mapping policy: {error}") from error


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
