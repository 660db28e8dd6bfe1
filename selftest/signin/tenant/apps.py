"""The apps of a tenant file: registrations with their redirect URIs, and the claims mapping policy of each.

A policy has Graph's format, in the tenant file or in a JSON file in the same folder, so that it can be copied from and
to a tenant.

Source: Microsoft Graph v1.0 ``application`` and ``claimsMappingPolicy``; entra-docs ``reply-url.md`` (schemes, special
characters, length), ``reference-claims-customization.md`` (``SAMLNameFormat``).
"""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from yarl import URL

from selftest.base.bounded_file import FileError, read_text
from selftest.base.sample_tenant import CalloutApp
from selftest.entra.token_mint import EntraVersion
from selftest.judge.mapping import MAX_POLICY_BYTES, MappingError, MappingPolicy
from selftest.signin.tenant.directory import App, RedirectKind, RedirectUri
from selftest.signin.tenant.toml_table import TomlTable

_KINDS: Final[tuple[RedirectKind, ...]] = ("web", "spa", "public")
_MAX_URI_CHARACTERS: Final = 256
_SPECIAL_CHARACTERS: Final = frozenset("!$'(),;")
_VERSIONS: Final[Mapping[str, EntraVersion]] = {"1": "1.0", "2": "2.0"}
_POLICY_KEYS: Final = {"Version", "IncludeBasicClaimSet", "ClaimsSchema"}
_ENTRY_KEYS: Final = {
    *("Source", "ID", "Value", "TransformationID", "ExtensionID"),
    *("JwtClaimType", "SamlClaimType", "SAMLNameFormat"),
}
_NAME_FORMATS: Final = tuple(f"urn:oasis:names:tc:SAML:2.0:attrname-format:{kind}" for kind in ("basic", "uri"))


def read_app(key: str, table: TomlTable, *, tenant_id: str, folder: Path) -> App:
    """Read ``[apps.<key>]``; errors are added to the table's complaints."""
    client_id = table.guid("client_id")
    name = table.text("display_name", key)
    protocol = table.choice("protocol", "oidc", ("oidc", "saml"))
    policy = _policy_members(table, folder)
    app = App(
        key=key,
        principal=CalloutApp(
            id=table.guid("object_id", str(uuid.uuid5(uuid.UUID(tenant_id), client_id))),
            app_id=client_id,
            app_display_name=name,
            display_name=name,
        ),
        redirect_uris=_redirect_uris(table.table("redirect_uris")),
        secret=table.optional_text("secret", secret=True),
        id_token_issuance=table.flag("id_token_issuance", default=False),
        application_id_uri=table.optional_text("application_id_uri"),
        access_version=_VERSIONS[str(table.number("token_version", 2, low=1, high=2))],
        scopes=table.texts("scopes"),
        accept_mapped_claims=table.flag("accept_mapped_claims", default=False),
        mapping=_policy(table, policy),
        group_claims=table.flag("group_claims", default=False),
        users=None if (assigned := table.optional_texts("users")) is None else frozenset(assigned),
        protocol="saml" if protocol == "saml" else "oidc",
        acs_url=table.optional_text("acs_url"),
        entity_id=table.optional_text("entity_id"),
        name_formats=_name_formats(policy),
    )
    _check_protocol(table, app)
    table.done()
    return app


def _check_protocol(table: TomlTable, app: App) -> None:
    if app.protocol == "saml" and (app.acs_url is None or app.entity_id is None):
        table.complain("protocol", "a SAML app requires acs_url and entity_id")
    if app.protocol == "saml" and app.redirect_uris:
        table.complain("redirect_uris", "a SAML app has acs_url instead")
    if app.acs_url is not None and (wrong := _uri_mistake(app.acs_url)):
        table.complain("acs_url", wrong)


def _redirect_uris(table: TomlTable) -> tuple[RedirectUri, ...]:
    found = []
    for kind in _KINDS:
        for uri in table.texts(kind):
            wrong = _uri_mistake(uri, custom_scheme=kind == "public")
            if wrong:
                table.complain(kind, wrong)
            found.append(RedirectUri(uri=uri, kind=kind))
    table.done()
    return tuple(found)


def _uri_mistake(text: str, *, custom_scheme: bool = False) -> str | None:
    """Return why Entra rejects a redirect URI; None if it accepts it."""
    try:
        url = URL(text)
    except ValueError as error:
        return f"{text!r} is not a URI: {error}"
    if len(text) > _MAX_URI_CHARACTERS:
        return f"a redirect URI has at most {_MAX_URI_CHARACTERS} characters, this one has {len(text)}"
    if "#" in text or _SPECIAL_CHARACTERS & set(text):
        return f"a redirect URI has no fragment and none of {' '.join(sorted(_SPECIAL_CHARACTERS))}, got {text!r}"
    if url.scheme in {"http", "https"}:
        if not url.host:
            return f"expected a host in {text!r}"
        if url.scheme == "http" and url.host not in {"localhost", "127.0.0.1"}:
            return f"http is for localhost and 127.0.0.1 only, got {text!r}"
        return None
    return None if custom_scheme and url.scheme else f"expected an https URI, or http on localhost, got {text!r}"


def _policy_members(table: TomlTable, folder: Path) -> Mapping[str, Any] | str | None:
    """Return the policy in the tenant file, or the contents of its own file."""
    given = table.read("claims_mapping_policy")
    if given is None or isinstance(given, dict):
        return given
    if not isinstance(given, str):
        table.complain("claims_mapping_policy", "expected a table, or the path of a JSON file in the same folder")
        return None
    try:
        return read_text(folder / given, MAX_POLICY_BYTES)
    except FileError as error:
        table.complain("claims_mapping_policy", str(error).replace(str(folder / given), given))
        return None


def _policy(table: TomlTable, given: Mapping[str, Any] | str | None) -> MappingPolicy | None:
    if given is None:
        return None
    if not isinstance(given, str):
        _check_policy_keys(table, given)
    try:
        return MappingPolicy.parse(given if isinstance(given, str) else {"ClaimsMappingPolicy": given})
    except MappingError as error:
        table.complain("claims_mapping_policy", str(error))
        return None


def _check_policy_keys(table: TomlTable, policy: Mapping[str, Any]) -> None:
    known = ", ".join(sorted(_POLICY_KEYS))
    for unknown in sorted(policy.keys() - _POLICY_KEYS):
        table.complain("claims_mapping_policy", f"a policy has no key {unknown}, there are {known}")
    for position, entry in enumerate(_entries(policy)):
        for unknown in sorted(entry.keys() - _ENTRY_KEYS):
            known = ", ".join(sorted(_ENTRY_KEYS))
            table.complain("claims_mapping_policy", f"ClaimsSchema[{position}] has no key {unknown}, there are {known}")
        form = entry.get("SAMLNameFormat", _NAME_FORMATS[0])
        if form not in _NAME_FORMATS:
            table.complain(
                "claims_mapping_policy", f"ClaimsSchema[{position}].SAMLNameFormat is one of {', '.join(_NAME_FORMATS)}"
            )


def _entries(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    schema = policy.get("ClaimsSchema", [])
    return [entry for entry in schema if isinstance(entry, dict)] if isinstance(schema, list) else []


def _name_formats(policy: Mapping[str, Any] | str | None) -> dict[str, str]:
    if policy is None or isinstance(policy, str):
        return {}
    return {
        str(entry["SamlClaimType"]): str(entry["SAMLNameFormat"])
        for entry in _entries(policy)
        if "SamlClaimType" in entry and "SAMLNameFormat" in entry
    }
