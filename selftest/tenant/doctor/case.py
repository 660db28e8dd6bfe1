"""The case: all evidence together, and the part of the tenant that is examined.

Statements read a case and nothing else, so each can be tested with plain data. Missing evidence has a reason, and a
statement that needs it is skipped with that reason instead of passing.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from selftest.tenant.doctor.evidence.easyauth import EasyAuth
from selftest.tenant.doctor.evidence.probe_report import ProbeReport
from selftest.tenant.doctor.evidence.settings import SettingsRead, SettingsVerdict
from selftest.tenant.doctor.evidence.tenant_objects import LISTS, ListName, TenantObjects
from selftest.tenant.doctor.evidence.validation import Validation
from selftest.tenant.doctor.evidence.wiring_objects import ExtensionObject, ListenerObject

#: Evidence that a statement may need. The name of a list of the tenant means that the list was read.
type EvidenceName = Literal[
    ListName,
    "settings",
    "reader",
    "deployed",
    "extension",
    "app",
    "claims",
    "tenant-id",
    "tenant-kind",
    "validation",
    "probe",
    "easyauth",
]

_NO_TENANT: Final = "the tenant was not read: give --tenant to read it through Graph, or --file"
_NO_EXTENSION: Final = "there is no extension to examine (D20)"
_NO_TENANT_ID: Final = "the tenant's id is in nothing that was read: --tenant TENANT, or a --file with the organization"
_NO_EASYAUTH: Final = "App Service Authentication is off (nothing to do), or not read: --easyauth FILE (explain D11)"


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a statement is skipped.

    Attributes:
        asked: Whether the user asked for the evidence and it could not be read, so that the verdict is not PASS.
    """

    reason: str
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedClaims:
    """The names of the claims that the endpoint returns.

    Attributes:
        origin: Where they are known from, for people.
    """

    names: frozenset[str]
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The evidence.

    Attributes:
        verdict: Whether the app's own code accepts the settings, and why not; None if there is no app to ask.
        extensions: The extensions to examine; empty where none belongs to this endpoint.
        app_asked: Whether ``app_ids`` comes from the user and not from listeners.
        validations: Graph's own validation by extension id; None where Graph was not asked.
        lacks: Why evidence that the user asked for could not be read, by its name.
        app_folder: Where an app was looked for whose code judges the settings.
        now: The time at which keys must be valid.
    """

    settings: SettingsRead | None = None
    verdict: SettingsVerdict | None = None
    tenant: TenantObjects | None = None
    extensions: tuple[ExtensionObject, ...] = ()
    app_ids: tuple[str, ...] = ()
    app_asked: bool = False
    tenant_id: str | None = None
    claims: ReturnedClaims | None = None
    easyauth: EasyAuth | None = None
    probe: ProbeReport | None = None
    validations: Mapping[str, Validation] | None = None
    lacks: Mapping[EvidenceName, str] = field(default_factory=dict)
    app_folder: Path = Path()
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    @property
    def required_tenant(self) -> TenantObjects:
        """Return the tenant to a statement that needs it."""
        if self.tenant is None:
            raise LookupError(_NO_TENANT)
        return self.tenant

    @property
    def required_settings(self) -> SettingsRead:
        """Return the settings to a statement that needs them."""
        if self.settings is None:
            raise LookupError("no settings were read")
        return self.settings

    @property
    def required_probe(self) -> ProbeReport:
        """Return the probe's report to a statement that needs it."""
        if self.probe is None:
            raise LookupError("the endpoint was not probed")
        return self.probe

    @property
    def judged(self) -> SettingsVerdict:
        """Return what the app's own code says of the settings, to a statement whose needs include it."""
        if self.verdict is None:
            raise LookupError("the app's reader was not asked")
        return self.verdict

    @property
    def deployed(self) -> bool:
        """Whether the settings are those of an app that Entra calls, and not of one on a developer's machine."""
        in_azure = self.settings is not None and any(
            self.settings.text(name) for name in ("WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME")
        )
        return in_azure or self.tenant is not None

    def listeners_of(self, extension: ExtensionObject) -> tuple[ListenerObject, ...]:
        """Return the listeners that call an extension."""
        listeners = self.required_tenant.listeners or ()
        return tuple(one for one in listeners if one.for_token_issuance and one.extension_id == extension.id)

    def lack(self, name: EvidenceName) -> Lack | None:
        """Return why evidence is missing, or None where it is available."""
        if name in self.lacks:
            return Lack(self.lacks[name], asked=True)
        if name in LISTS:
            return self._list_lack(name)
        available, reason = self._others()[name]
        return None if available else Lack(reason)

    @property
    def _no_reader(self) -> str:
        return (
            f"the app's own code judges the settings, and there is no app of this project in {self.app_folder}: name "
            "its folder with --app-dir DIR"
        )

    def _list_lack(self, name: str) -> Lack | None:
        if self.tenant is None:
            return Lack(_NO_TENANT)
        reason = self.tenant.unread.get(name)
        return None if reason is None else Lack(reason, asked=True)

    def _others(self) -> dict[EvidenceName, tuple[bool, str]]:
        kind = self.tenant is not None and self.tenant.external is not None
        return {
            "settings": (self.settings is not None, "no settings were given: --settings FILE or --azd-env NAME"),
            "reader": (self.verdict is not None, self._no_reader),
            "deployed": (self.deployed, "the settings are those of an app on this machine"),
            "extension": (bool(self.extensions), _NO_EXTENSION if self.tenant is not None else _NO_TENANT),
            "app": (bool(self.app_ids), "no application is known: no listener names one; --app names it"),
            "claims": (self.claims is not None, "the names of the returned claims are not known: --claims-from FILE"),
            "tenant-id": (self.tenant_id is not None, _NO_TENANT_ID),
            "tenant-kind": (kind, "whether the tenant is an external tenant was not read"),
            "validation": (self.validations is not None, "Graph was not asked about the extension: give --tenant"),
            "probe": (self.probe is not None, "the endpoint was not called: --url URL, or --probe for the target URL"),
            "easyauth": (self.easyauth is not None, _NO_EASYAUTH),
        }
