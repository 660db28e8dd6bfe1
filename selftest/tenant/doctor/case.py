"""The case that is diagnosed: all evidence together, and what of the tenant it is about.

Statements read a case and nothing else, so that each can be tried on plain data. What is missing has a reason, and a
statement that needs it is skipped with that reason instead of holding by default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from selftest.tenant.doctor.evidence.easyauth import EasyAuth
from selftest.tenant.doctor.evidence.probe_report import ProbeReport
from selftest.tenant.doctor.evidence.settings import SettingsRead, SettingsVerdict
from selftest.tenant.doctor.evidence.tenant import LISTS, ListName, Tenant
from selftest.tenant.doctor.evidence.validation import Validation
from selftest.tenant.doctor.evidence.wiring_objects import Extension, Listener

#: What a statement cannot do without. A list of the tenant stands for having been read.
type Need = Literal[
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


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a statement is skipped.

    Attributes:
        asked: whether it was asked for and could not be had, so that the verdict is not a good one.
    """

    reason: str
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimNames:
    """The names of the claims that the endpoint answers with.

    Attributes:
        origin: where they are known from, for people.
    """

    names: frozenset[str]
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The evidence.

    Attributes:
        verdict: what the app's reader says of the settings; None where there is no app to ask.
        extensions: those that are looked at; none where none is this endpoint's.
        app_ids: the applications that should get claims.
        app_asked: whether ``app_ids`` was asked for, and not found in listeners.
        tenant_id: the tenant that was read.
        validations: Graph's own validation by extension id; None where Graph was not asked.
        lacks: why something could not be had that was asked for, by need.
    """

    settings: SettingsRead | None = None
    verdict: SettingsVerdict | None = None
    tenant: Tenant | None = None
    extensions: tuple[Extension, ...] = ()
    app_ids: tuple[str, ...] = ()
    app_asked: bool = False
    tenant_id: str | None = None
    claims: ClaimNames | None = None
    easyauth: EasyAuth | None = None
    probe: ProbeReport | None = None
    validations: Mapping[str, Validation] | None = None
    lacks: Mapping[Need, str] = field(default_factory=dict)

    @property
    def seen(self) -> Tenant:
        """Give the tenant to a statement whose needs say that it was read."""
        if self.tenant is None:
            raise LookupError(_NO_TENANT)
        return self.tenant

    @property
    def configured(self) -> SettingsRead:
        """Give the settings to a statement whose needs say that there are some."""
        if self.settings is None:
            raise LookupError("no settings were read")
        return self.settings

    @property
    def judged(self) -> SettingsVerdict:
        """Return what the app's reader says, to a statement whose needs include it."""
        if self.verdict is None:
            raise LookupError("the app's reader was not asked")
        return self.verdict

    @property
    def deployed(self) -> bool:
        """Say whether the settings are those of an app that Entra calls, and not of one on a developer's machine."""
        in_azure = self.settings is not None and any(
            self.settings.text(name) for name in ("WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME")
        )
        return in_azure or self.tenant is not None

    def listeners_of(self, extension: Extension) -> tuple[Listener, ...]:
        """List the listeners that call an extension."""
        listeners = self.seen.listeners or ()
        return tuple(one for one in listeners if one.for_token_issuance and one.extension_id == extension.id)

    def lack(self, need: Need) -> Lack | None:
        """Say why something is not there, or None where it is."""
        if need in self.lacks:
            return Lack(self.lacks[need], asked=True)
        if need in LISTS:
            return self._lacks_list(need)
        held, why = self._others()[need]
        return None if held else Lack(why)

    def _lacks_list(self, name: ListName) -> Lack | None:
        if self.tenant is None:
            return Lack(_NO_TENANT)
        reason = self.tenant.unread.get(name)
        return None if reason is None else Lack(reason, asked=True)

    def _others(self) -> dict[Need, tuple[bool, str]]:
        kind = self.tenant is not None and self.tenant.external is not None
        return {
            "settings": (self.settings is not None, "no settings were given: --settings FILE or --azd-env NAME"),
            "reader": (self.verdict is not None, "there is no app whose reader could judge them: --app-dir DIR"),
            "deployed": (self.deployed, "the settings are those of an app on this machine"),
            "extension": (bool(self.extensions), "there is no extension to look at (D20)"),
            "app": (bool(self.app_ids), "no application is known: no listener names one; --app names it"),
            "claims": (self.claims is not None, "the names of the returned claims are not known: --claims NAMES"),
            "tenant-id": (self.tenant_id is not None, "nothing that was read says which tenant it is: --tenant GUID"),
            "tenant-kind": (kind, "whether the tenant is one for customers was not read"),
            "validation": (self.validations is not None, "only Graph itself can validate: give --tenant"),
            "probe": (self.probe is not None, "the endpoint was not called: --url URL, or --probe for the target URL"),
            "easyauth": (self.easyauth is not None, "App Service Authentication is off, or not in what was read"),
        }
