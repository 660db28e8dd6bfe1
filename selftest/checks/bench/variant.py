"""Variants of the app: the settings with which a check needs it to be started, where the usual ones do not do.

A check names its variant; the runner starts one app per variant for all of its checks.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal, cast

from selftest.base.setting_names import BUDGET_MS, ON_FAILURE
from selftest.downstream.faults import FAULTS
from selftest.downstream.server import DownstreamServer
from selftest.entra.server import EntraServer

type VariantPolicy = Literal["fail", "omit", "stale"]
#: What fails, already when the app starts: the host of the signing keys answers 503 (``keys-down``) or never
#: (``keys-hang``), or the token endpoint for the downstream API answers garbage (``identity-garbage``).
type VariantTrouble = Literal["", "keys-down", "keys-hang", "identity-garbage"]

#: Small, so that a late response takes little time, and large compared with the pauses of a busy machine.
_BUDGET_MS: Final = 600
#: Longer than any endpoint waits.
_HANG_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AppVariant:
    """Settings with which the app is started, and what fails around it.

    Attributes:
        name: The variant's name in messages.
        policy: The setting ``Claims__OnFailure``.
        budget_ms: The setting ``Claims__BudgetMs``.
        malformed_keys: Whether the key document that the app first reads has malformed entries.
        trouble: What fails, already when the app starts.
        more_callers: The setting ``Claims__AdditionalCallerAppIds``; the app warns of it in its log.
        downstream: Whether the provider is the one that calls the emulated downstream; otherwise the app has the
            settings that the command was given.
        faulty: Whether faults can be injected around the provider. If so, policy and budget are those that the command
            was given.
        several: Whether several instances are started, behind one address.
        shared_cache: Whether these share a Redis of the harness.
    """

    name: str
    policy: VariantPolicy
    budget_ms: int = _BUDGET_MS
    malformed_keys: bool = False
    trouble: VariantTrouble = ""
    more_callers: str = ""
    downstream: bool = True
    faulty: bool = False
    several: bool = False
    shared_cache: bool = False

    def as_given(self, settings: Mapping[str, str]) -> "AppVariant":
        """Return the variant with the policy and the budget of the settings, if it takes these."""
        if not self.faulty:
            return self
        policy = cast("VariantPolicy", settings.get(ON_FAILURE, self.policy))
        return replace(self, policy=policy, budget_ms=int(settings.get(BUDGET_MS, self.budget_ms)))

    def settings(self) -> dict[str, str]:
        """Return the app's settings, in addition to those of tenant and downstream."""
        given = {"Claims__OnFailure": self.policy, "Claims__BudgetMs": str(self.budget_ms)}
        return given | ({"Claims__AdditionalCallerAppIds": self.more_callers} if self.more_callers else {})

    @contextmanager
    def in_trouble(self, entra: EntraServer, downstream: DownstreamServer) -> Iterator[None]:
        """Make what the variant's ``trouble`` names fail; to be entered before the app starts."""
        entra.outage = self.trouble == "keys-down"
        entra.delay_s = _HANG_S if self.trouble == "keys-hang" else 0.0
        with downstream.playing(FAULTS[self.trouble]) if self.trouble in FAULTS else nullcontext():
            yield


BY_POLICY: Final[Mapping[VariantPolicy, AppVariant]] = MappingProxyType(
    {
        "fail": AppVariant(name="on failure: fail", policy="fail"),
        "omit": AppVariant(name="on failure: omit", policy="omit"),
        "stale": AppVariant(name="on failure: stale", policy="stale"),
    }
)
#: The provider, policy and budget that the command was given; where it names none, the endpoint's defaults.
GIVEN: Final = AppVariant(name="as given", policy="fail", budget_ms=1500, downstream=False, faulty=True)
#: For the checks of the log line: apps that cannot read the signing keys, cannot get a downstream token, or warn.
KEYS_DOWN: Final = AppVariant(
    name="no keys: down", policy="fail", trouble="keys-down", budget_ms=1500, downstream=False
)
KEYS_HANG: Final = AppVariant(
    name="no keys: hanging", policy="fail", trouble="keys-hang", budget_ms=1500, downstream=False
)
NO_TOKEN: Final = AppVariant(name="no downstream token", policy="fail", trouble="identity-garbage", budget_ms=1500)
WARNED: Final = AppVariant(
    name="a setting that warns",
    policy="fail",
    more_callers="33333333-3333-4333-8333-333333333333",
    budget_ms=1500,
    downstream=False,
)
#: The budget of a deployment, for sign-ins that need both of Entra's attempts.
TWO_ATTEMPTS: Final = AppVariant(name="two attempts", policy="fail", budget_ms=1500)
#: For the checks of several instances.
SHARING: Final = AppVariant(
    name="several instances, shared cache", policy="stale", budget_ms=1500, several=True, shared_cache=True
)
NOT_SHARING: Final = replace(SHARING, name="several instances", shared_cache=False)
#: For the checks of malformed keys: nothing else may meet these.
MALFORMED_KEYS: Final = AppVariant(
    name="malformed keys", policy="fail", budget_ms=1500, malformed_keys=True, downstream=False
)
