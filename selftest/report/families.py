"""Families of findings: many attacks with one cause are one finding, with its number of proofs.

The order is that of the harm, and each family contains the ones after it: who lets anybody in also lets in every
application of the tenant.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from selftest.judge.statement import LEVELS
from selftest.report.results import CheckResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Attacks that succeed for one reason.

    Attributes:
        name: A word for files.
        sentence: What the endpoint allows.
        fix: What to do, in any language, with the setting of common libraries where there is one.
        ids: The checks that prove it.
    """

    name: str
    sentence: str
    fix: str
    ids: frozenset[str]


_IDENTITY: Final = "Validate the token first, with a library for JWTs and the keys of the metadata"
FAMILIES: Final[tuple[Family, ...]] = (
    Family(
        name="no-validation",
        sentence="anybody gets claims",
        fix=f"{_IDENTITY}: the algorithm (RS256 only), issuer, audience, expiry, and then the caller.",
        ids=frozenset(
            {
                *("T01", "T02", "T10", "T11", "T30", "T31", "T36", "T37", "T38", "T42", "T43", "T48", "T51"),
                *("T52", "T53", "T54", "T60", "T61", "T62", "T63", "T64", "T65", "T66", "T67", "T78"),
            }
        ),
    ),
    Family(
        name="any-tenant",
        sentence="tokens of any tenant get claims",
        fix="Compare iss with the issuer of your own tenant's metadata, as a whole string "
        "(.NET: `ValidIssuer`; PyJWT, jose: `issuer`). "
        "An authority with `common` or `organizations` cannot do that.",
        ids=frozenset({"T80"}),
    ),
    Family(
        name="any-audience",
        sentence="tokens for other APIs get claims",
        fix="Compare aud with the client id of this API (.NET: `ValidAudience`; PyJWT, jose: `audience`).",
        ids=frozenset({"T88", "T115"}),
    ),
    Family(
        name="any-application",
        sentence="any application of the tenant gets claims",
        fix="Compare azp (v2.0) or appid (v1.0) with 99045fe1-7639-4a75-9d4a-577b6ca3810f, after "
        "validation. No library does this by itself (ASP.NET: in the event "
        "`OnTokenValidated`; elsewhere: after the token is decoded).",
        ids=frozenset({"T100", "T101", "T111", "T113"}),
    ),
    Family(
        name="expired",
        sentence="expired tokens get claims",
        fix="Require exp and compare it with the clock (.NET: `ValidateLifetime`; PyJWT: "
        "`options={'require': ['exp']}`; jose: `requiredClaims: ['exp']`).",
        ids=frozenset({"T120"}),
    ),
)
#: What remains when the signature alone is looked at.
SIGNATURE_ONLY: Final = Family(
    name="signature-only",
    sentence="only the signature is checked",
    fix=f"{_IDENTITY}. A signature does not say for whom and until when: issuer, audience, expiry, caller.",
    ids=frozenset().union(*(family.ids for family in FAMILIES[1:])),
)
_NEEDED_FOR_SIGNATURE_ONLY: Final = frozenset({"any-audience", "any-application", "expired"})


def family_of(check_id: str) -> str | None:
    """Return the name of the family that a check proves; None for a check that stands alone."""
    return next((family.name for family in FAMILIES if check_id in family.ids), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause: the worst of its checks stands for all.

    Attributes:
        sentence: What is wrong.
        fix: What to do.
        checks: The failed checks that prove it, the worst first.
        tried: How many checks of its kind ran.
    """

    sentence: str
    fix: str
    checks: tuple[CheckResult, ...]
    tried: int

    @property
    def proofs(self) -> str:
        """Return how many of the attacks with this cause were let in, and of which levels."""
        levels = Counter(check.level for check in self.checks)
        named = ", ".join(f"{levels[level]} {level}" for level in LEVELS if level in levels)
        return f"{len(self.checks)} of {self.tried} attacks with this cause were let in: {named}"


def findings(checks: Sequence[CheckResult]) -> list[Finding]:
    """Return the failed checks as findings, the worst first; what a worse family contains is part of it."""
    failed = sorted((check for check in checks if check.bad), key=lambda check: check.rank)
    proven = {family.name for family in FAMILIES if any(check.id in family.ids and check.let_in for check in failed)}
    found = list(_of_families(checks, failed, proven))
    told = {check.id for finding in found for check in finding.checks}
    single = [
        Finding(sentence=f"expected: {check.title}", fix=check.fix, checks=(check,), tried=1)
        for check in failed
        if check.id not in told
    ]
    # Stable: on one level, and among what was let in, the families come first and in their order.
    return sorted([*found, *single], key=lambda finding: finding.checks[0].rank[:2])


def _of_families(checks: Sequence[CheckResult], failed: Sequence[CheckResult], proven: set[str]) -> Iterator[Finding]:
    # Without validation every token is let in, odd ones, too.
    every = frozenset(check.id for check in checks if check.id[0] == "T" and check.let_in)
    without_token = any(check.id == "T01" and check.let_in for check in failed)
    if "no-validation" in proven and (without_token or proven >= _NEEDED_FOR_SIGNATURE_ONLY):
        yield _finding(FAMILIES[0], every, checks, failed)
        return
    rest = [family for family in FAMILIES if family.name in proven]
    if proven >= _NEEDED_FOR_SIGNATURE_ONLY:
        yield _finding(SIGNATURE_ONLY, SIGNATURE_ONLY.ids, checks, failed)
        rest = [family for family in rest if not family.ids <= SIGNATURE_ONLY.ids]
    for family in rest:
        yield _finding(family, family.ids, checks, failed)


def _finding(
    family: Family, ids: frozenset[str], checks: Sequence[CheckResult], failed: Sequence[CheckResult]
) -> Finding:
    return Finding(
        sentence=family.sentence,
        fix=family.fix,
        checks=tuple(check for check in failed if check.id in ids and check.let_in),
        tried=sum(check.id in ids and check.let_in is not None for check in checks),
    )
