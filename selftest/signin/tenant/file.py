"""The tenant file: apps, users, extensions and listeners of an emulated tenant in one readable TOML file.

``selftest/signin/tenant/sample.toml`` shows every key. Unknown keys, wrong types, duplicate ids and dangling references
are reported together, each with its file, table and key; a file with an error is rejected.
"""

import ipaddress
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from yarl import URL

from selftest.base.bounded_file import decoded
from selftest.base.cannot_run import CannotRun
from selftest.base.sample_tenant import DEFAULT_TENANT, Tenant
from selftest.contract import DEFAULT_TIMEOUT_MS, MAX_RETRIES, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from selftest.entra.payloads import DEFAULT_IP
from selftest.judge.codes import CODES
from selftest.signin.tenant.apps import read_app
from selftest.signin.tenant.directory import GRAPH_APP_ID, App, Directory, EmulatedExtension, EmulatedListener, Person
from selftest.signin.tenant.toml_table import Complaints, TomlTable

#: The members of ``user`` in published events.
#: Source: entra-docs ``custom-claims-provider-reference.md``; microsoft/woodgrove-auth-api.
_USER_MEMBERS: Final = (
    *("companyName", "createdDateTime", "displayName", "givenName", "mail", "onPremisesSamAccountName"),
    *("onPremisesSecurityIdentifier", "onPremisesUserPrincipalName", "preferredDataLocation", "preferredLanguage"),
    *("surname", "userPrincipalName", "userType"),
)

_DOMAIN: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class TenantFileError(CannotRun):
    """Raised for an invalid tenant file; the message has one line per error."""


def read_tenant_file(path: Path) -> Directory:
    """Read a tenant.

    Raises:
        TenantFileError: The file cannot be read, is not TOML, or is invalid.
    """
    try:
        document = tomllib.loads(decoded(path.read_bytes()))
    except OSError as error:
        raise TenantFileError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # TOMLDecodeError or UnicodeDecodeError
        raise TenantFileError(f"{path} is not TOML: {error}") from error
    complaints = Complaints(file=str(path))
    directory = _directory(TomlTable("", document, complaints), path.parent)
    if complaints.lines or directory is None:
        raise TenantFileError("\n".join(complaints.lines))
    return directory


def _directory(root: TomlTable, folder: Path) -> Directory | None:
    own = root.table("tenant")
    tenant_id, domain = own.guid("id", DEFAULT_TENANT.tenant_id), own.text("domain", DEFAULT_TENANT.domain)
    if not _DOMAIN.fullmatch(domain):
        own.complain("domain", f"expected a domain name such as {DEFAULT_TENANT.domain}, got {domain!r}")
    external = own.choice("kind", "workforce", ("workforce", "external")) == "external"
    silent = own.flag("silent_sign_in", default=True)
    own.done()
    app_tables = root.tables("apps")
    apps = {key: read_app(key, table, tenant_id=tenant_id, folder=folder) for key, table in app_tables.items()}
    people = {key: _person(key, table, apps) for key, table in root.tables("users").items()}
    _check_assignments(app_tables, apps, people)
    extension_tables = root.tables("extensions")
    extensions = [_extension(key, table, apps) for key, table in extension_tables.items()]
    known = {extension.key: extension for extension in extensions if extension is not None}
    # An invalid extension is None here, so that its listeners cause no further error.
    named = {key: known.get(key) for key in extension_tables}
    listeners = [_listener(key, table, named, apps) for key, table in root.tables("listeners").items()]
    root.done()
    complete = tuple(listener for listener in listeners if listener is not None)
    _check_ids(root, apps.values(), people.values(), known.values(), complete)
    _check_one_listener(root, complete)
    if not (extension_tables and people and apps):
        root.complaints.add("", "expected at least one [apps.…], one [users.…] and one [extensions.…]")
    if not (known and people and apps):
        return None
    return Directory(
        tenant=_tenant(tenant_id, domain, next(iter(known.values())), complete, apps),
        external=external,
        silent=silent,
        extensions=tuple(known.values()),
        listeners=complete,
        apps=tuple(apps.values()),
        people=tuple(people.values()),
    )


def _person(key: str, table: TomlTable, apps: Mapping[str, App]) -> Person:
    members: dict[str, Any] = {"id": table.guid("id")}
    for name in _USER_MEMBERS:
        if (value := table.optional_text(name)) is not None:
            members[name] = value
    roles = table.table("roles")
    for app in roles.values:
        roles.reference(app, app, apps, "app")
    person = Person(
        key=key,
        members={name: members[name] for name in sorted(members)},
        ip=_ip(table),
        groups=table.texts("groups"),
        roles={app: roles.texts(app) for app in roles.values},
        fault=_fault(table),
    )
    table.done()
    return person


def _ip(table: TomlTable) -> str:
    given = table.text("ip", DEFAULT_IP)
    try:
        return str(ipaddress.ip_address(given))
    except ValueError:
        table.complain("ip", f"expected an IPv4 or IPv6 address, got {given!r}")
        return DEFAULT_IP


def _extension(key: str, table: TomlTable, apps: Mapping[str, App]) -> EmulatedExtension | None:
    audience = table.reference("app", table.text("app"), apps, "app")
    target_url = table.text("target_url")
    url = URL(target_url)
    if url.scheme not in {"http", "https"} or not url.host:
        table.complain("target_url", f"expected an http or https URL with a host, got {target_url!r}")
    claims = table.optional_texts("claims")
    identity, fault = table.guid("id"), _fault(table)
    timeout_ms, max_retries = _limits(table, DEFAULT_TIMEOUT_MS, MAX_RETRIES)
    table.done()
    if audience is None:
        return None
    return EmulatedExtension(
        key=key,
        id=identity,
        audience=audience,
        target_url=target_url,
        timeout_ms=timeout_ms,
        max_retries=max_retries,
        claims=None if claims is None else frozenset(claims),
        fault=fault,
    )


def _listener(
    key: str, table: TomlTable, extensions: Mapping[str, EmulatedExtension | None], apps: Mapping[str, App]
) -> EmulatedListener | None:
    extension = table.reference("extension", table.text("extension"), extensions, "extension")
    app_keys = table.texts("apps")
    for name in app_keys:
        table.reference("apps", name, apps, "app")
    if not app_keys:
        table.complain("apps", "expected the names of the apps that the listener is for")
    identity = table.guid("id")
    timeout_ms, max_retries = (
        _limits(table, DEFAULT_TIMEOUT_MS, MAX_RETRIES)
        if extension is None
        else _limits(table, extension.timeout_ms, extension.max_retries)
    )
    table.done()
    if extension is None:
        return None
    return EmulatedListener(
        key=key,
        id=identity,
        extension=extension,
        app_keys=frozenset(app_keys),
        timeout_ms=timeout_ms,
        max_retries=max_retries,
    )


def _limits(table: TomlTable, timeout_ms: int, max_retries: int) -> tuple[int, int]:
    return (
        table.number("timeout_ms", timeout_ms, low=MIN_TIMEOUT_MS, high=MAX_TIMEOUT_MS),
        table.number("max_retries", max_retries, low=0, high=MAX_RETRIES),
    )


def _fault(table: TomlTable) -> int | None:
    fault = table.read("fault")
    if fault is None or (type(fault) is int and fault in CODES):
        return fault
    table.complain("fault", f"expected one of the codes 1003000 to 1003027, got {fault!r}")
    return None


def _check_assignments(tables: Mapping[str, TomlTable], apps: Mapping[str, App], people: Mapping[str, Person]) -> None:
    for key, app in apps.items():
        for name in sorted(app.users or ()):
            tables[key].reference("users", name, people, "user")


def _check_ids(
    root: TomlTable,
    apps: Collection[App],
    people: Collection[Person],
    extensions: Collection[EmulatedExtension],
    listeners: Collection[EmulatedListener],
) -> None:
    """Report ids that two objects share, and client ids of Microsoft."""
    places = [
        *((f"[apps.{app.key}] client_id", app.client_id) for app in apps),
        *((f"[apps.{app.key}] application_id_uri", app.application_id_uri) for app in apps if app.application_id_uri),
        *((f"[apps.{app.key}] entity_id", app.entity_id) for app in apps if app.entity_id),
        *((f"[users.{person.key}] id", person.id) for person in people),
        *((f"[extensions.{extension.key}] id", extension.id) for extension in extensions),
        *((f"[listeners.{listener.key}] id", listener.id) for listener in listeners),
    ]
    seen: dict[str, str] = {GRAPH_APP_ID: "Microsoft Graph"}
    for where, identity in places:
        if identity in seen:
            root.complaints.add(f"{where}:", f"{identity} is also the id of {seen[identity]}")
        seen.setdefault(identity, where)


def _check_one_listener(root: TomlTable, listeners: Iterable[EmulatedListener]) -> None:
    """Report apps with more than one listener: Entra would call only one of the extensions."""
    seen: dict[str, str] = {}
    for listener in listeners:
        for app in sorted(listener.app_keys):
            if app in seen:
                root.complaints.add(f"[listeners.{listener.key}] apps:", f"{app} is in [listeners.{seen[app]}] already")
            seen.setdefault(app, listener.key)


def _tenant(
    tenant_id: str,
    domain: str,
    extension: EmulatedExtension,
    listeners: tuple[EmulatedListener, ...],
    apps: Mapping[str, App],
) -> Tenant:
    """Return the ids of the first extension, by which the rest of the harness knows a tenant."""
    audience = extension.audience
    others = [app for app in apps.values() if app.key != audience.key] or [audience]
    listener = next((listener for listener in listeners if listener.extension is extension), None)
    return Tenant(
        tenant_id=tenant_id,
        audience_app_id=audience.client_id,
        application_id_uri=audience.application_id_uri or f"api://localhost/{audience.client_id}",
        listener_id=DEFAULT_TENANT.listener_id if listener is None else listener.id,
        extension_id=extension.id,
        caller_app_id=DEFAULT_TENANT.caller_app_id,
        caller_object_id=DEFAULT_TENANT.caller_object_id,
        client=others[0].principal,
        other_resource=others[-1].principal,
        other_tenant_id=DEFAULT_TENANT.other_tenant_id,
        domain=domain,
        client_secret=audience.secret or DEFAULT_TENANT.client_secret,
    )
