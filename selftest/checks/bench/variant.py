"""The settings that an app has to run with for a check, where they are not the usual ones.

Checks name the variant that they are about; the runner starts one app for each and gives it to all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

type VariantPolicy = Literal["fail", "omit", "stale"]

#: Small, so that being late takes no time, and well above what a busy machine adds.
_BUDGET_MS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class AppVariant:
    """How the endpoint treats a provider that fails.

    Attributes:
        name: what a person calls it.
        policy: ``Claims__OnFailure``.
        budget_ms: ``Claims__BudgetMs``.
    """

    name: str
    policy: VariantPolicy
    budget_ms: int = _BUDGET_MS

    def settings(self) -> dict[str, str]:
        """Give the app's settings beside those of tenant and downstream."""
        return {"Claims__OnFailure": self.policy, "Claims__BudgetMs": str(self.budget_ms)}


BY_POLICY: Final[Mapping[VariantPolicy, AppVariant]] = MappingProxyType(
    {
        "fail": AppVariant(name="on failure: fail", policy="fail"),
        "omit": AppVariant(name="on failure: omit", policy="omit"),
        "stale": AppVariant(name="on failure: stale", policy="stale"),
    }
)
#: The budget that a deployment has, for sign-ins that need both of Entra's attempts.
TWO_ATTEMPTS: Final = AppVariant(name="two attempts", policy="fail", budget_ms=1500)
