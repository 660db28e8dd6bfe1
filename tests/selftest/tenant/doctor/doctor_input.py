"""A healthy tenant and healthy settings, and an examination of both as the command makes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.cli import parser
from selftest.tenant.doctor.diagnosis import Diagnosis, diagnose
from selftest.tenant.doctor.evidence.settings import SettingsRead
from selftest.tenant.doctor.examination import Examination, examine, make_case
from selftest.tenant.doctor.sources.tenant_source import Source
from selftest.tenant.doctor.statements import TENANT_STATEMENTS
from tests.emulated_graph.healthy_tenant import healthy_tenant

APP = DEFAULT_TENANT.client.app_id
API = DEFAULT_TENANT.audience_app_id
EXTENSION = DEFAULT_TENANT.extension_id
TENANT = DEFAULT_TENANT.tenant_id
OTHER = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"


def healthy_settings() -> dict[str, str]:
    """Give the settings that fit the healthy tenant."""
    return {
        "AuthenticationEvents__AuthorityUrl": f"https://login.microsoftonline.com/{TENANT}",
        "AuthenticationEvents__AudienceAppId": API,
        "Claims__AllowedExtensionIds": EXTENSION,
    }


@dataclass
class DoctorInput:
    """A tenant and settings that a fault changes.

    Attributes:
        tenant: Graph's objects, by kind.
        env: the settings.
        flags: of the command.
    """

    tenant: dict[str, Any] = field(default_factory=healthy_tenant)
    env: dict[str, str] = field(default_factory=healthy_settings)
    flags: list[str] = field(default_factory=list)

    @property
    def extension(self) -> dict[str, Any]:
        """Give the extension."""
        return self.one("customAuthenticationExtensions")

    @property
    def listener(self) -> dict[str, Any]:
        """Give the listener."""
        return self.one("authenticationEventListeners")

    @property
    def policy(self) -> dict[str, Any]:
        """Give the claims mapping policy."""
        return self.one("claimsMappingPolicies")

    def one(self, kind: str) -> dict[str, Any]:
        """Give the only object of a kind."""
        (found,) = self.tenant[kind]
        assert isinstance(found, dict)
        return found

    def app(self, app_id: str) -> dict[str, Any]:
        """Give an app registration."""
        return next(app for app in self.tenant["applications"] if app["appId"] == app_id)

    def principal(self, app_id: str) -> dict[str, Any]:
        """Give a service principal."""
        return next(one for one in self.tenant["servicePrincipals"] if one["appId"] == app_id)

    def remove_principal(self, app_id: str) -> None:
        """Delete a service principal."""
        self.tenant["servicePrincipals"].remove(self.principal(app_id))

    def schema(self, change: Mapping[int, Mapping[str, Any]]) -> None:
        """Change entries of the policy's ClaimsSchema, by place."""
        document = json.loads(self.policy["definition"][0])
        for place, members in change.items():
            document["ClaimsMappingPolicy"]["ClaimsSchema"][place] |= members
        self.policy["definition"] = [json.dumps(document)]


def examined(subject: DoctorInput, directory: Path) -> Examination:
    """Examine it as ``doctor --file --settings`` does."""
    file, settings = directory / "tenant.json", directory / "settings.json"
    file.write_text(json.dumps(subject.tenant))
    settings.write_text(json.dumps({"Values": subject.env}))
    args = parser().parse_args(["doctor", "--file", str(file), "--settings", str(settings), *subject.flags])
    return examine(args, environ={}, directory=directory)


def diagnosed(subject: DoctorInput, source: Source) -> Diagnosis:
    """Examine a tenant that was read elsewhere, with the same settings."""
    args = parser().parse_args(["doctor", *subject.flags])
    return diagnose(
        make_case(args, settings=SettingsRead(subject.env, "a test"), source=source), TENANT_STATEMENTS.values()
    )


def found(examination: Examination | Diagnosis) -> dict[str, int | str | None]:
    """Give what is wrong: code by id."""
    return {one.statement.id: one.code_of(finding) for one, finding in _findings(examination).faults}


def hinted(examination: Examination | Diagnosis) -> set[str]:
    """Give the ids of the hints."""
    return {one.statement.id for one, _ in _findings(examination).hints}


def _findings(examination: Examination | Diagnosis) -> Diagnosis:
    return examination.diagnosis if isinstance(examination, Examination) else examination
