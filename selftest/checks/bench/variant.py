"""App settings other than the usual ones that checks need.

A check names its variant; the runner starts one app per variant for all of its checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

type VariantPolicy = Literal["fail", "omit", "stale"]

#: Small, so that a late response takes little time, and large compared with the pauses of a busy machine.
_BUDGET_MS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class AppVariant:
    """How the endpoint handles a provider that fails.

    Attributes:
        name: The variant's name in messages.
        policy: The setting ``Claims__OnFailure``.
        budget_ms: The setting ``Claims__BudgetMs``.
        malformed_keys: Whether the key document that the app first reads has malformed entries.
    """

    name: str
    policy: VariantPolicy
    budget_ms: int = _BUDGET_MS
    malformed_keys: bool = False

    def settings(self) -> dict[str, str]:
        """Return the app's settings, in addition to those of tenant and downstream."""
        return {"Claims__OnFailure": self.policy, "Claims__BudgetMs": str(self.budget_ms)}


BY_POLICY: Final[Mapping[VariantPolicy, AppVariant]] = MappingProxyType(
    {
        "fail": AppVariant(name="on failure: fail", policy="fail"),
        "omit": AppVariant(name="on failure: omit", policy="omit"),
        "stale": AppVariant(name="on failure: stale", policy="stale"),
    }
)
#: The budget of a deployment, for sign-ins that need both of Entra's attempts.
TWO_ATTEMPTS: Final = AppVariant(name="two attempts", policy="fail", budget_ms=1500)
#: For the checks of malformed keys: nothing else may meet these.
MALFORMED_KEYS: Final = AppVariant(name="malformed keys", policy="fail", budget_ms=1500, malformed_keys=True)
