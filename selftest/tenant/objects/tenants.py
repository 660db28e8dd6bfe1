"""Which tenant the objects belong in, compared with the authority's, the sign-in's and the subscription's.

The endpoint accepts tokens of the authority's tenant only, so objects in another one would never work. A subscription
may be in another tenant, as with External ID; then the environment has to name the tenant, so that it is no accident.

Azure Resource Manager names a subscription's tenant when a request has no token (``authorization_uri`` in the challenge
of its 401), so no sign-in to Azure is needed. Public tools rely on that; no page of Microsoft's documents it, and it
was not seen here. Without it nothing is compared.
"""

import re
from collections.abc import Mapping
from typing import Final

import aiohttp

from selftest.base.cannot_run import CannotRun
from selftest.base.setting_names import AUTHORITY_URL
from selftest.contract import is_guid

#: Names the tenant of the objects, where the subscription is in another one.
TENANT: Final = "ENTRA_TENANT_ID"
_AZURE_TENANT: Final = "AZURE_TENANT_ID"
_SUBSCRIPTION: Final = "AZURE_SUBSCRIPTION_ID"
_MANAGEMENT: Final = "https://management.azure.com"
_GUID: Final = re.compile(r"(?i)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=[/?\"]|$)")
_TIMEOUT_S: Final = 10


def wanted_tenant(environ: Mapping[str, str], chosen: str | None) -> str | None:
    """Return the tenant that the flag, the environment or the authority names, in lower case; None where none does.

    Raises:
        CannotRun: The authority's tenant is another.
    """
    named, authority = chosen or environ.get(TENANT), _tenant_in(environ.get(AUTHORITY_URL, ""))
    if named and authority and named.lower() != authority:
        raise CannotRun(
            f"{AUTHORITY_URL} is of tenant {authority}, and {'--tenant' if chosen else TENANT} is {named[:64]!r}: the "
            "endpoint accepts tokens of the authority's tenant only; correct one of them"
        )
    return (named or authority or environ.get(_AZURE_TENANT) or "").lower() or None


async def require_one_tenant(
    environ: Mapping[str, str], chosen: str | None, signed_in: str | None, *, management: str = _MANAGEMENT
) -> None:
    """Compare the sign-in's tenant with the subscription's, unless flag or environment name the tenant.

    A subscription that cannot be asked is no reason to stop: Azure is not needed for the objects.

    Raises:
        CannotRun: They differ.
    """
    subscription = environ.get(_SUBSCRIPTION, "")
    if not is_guid(subscription) or not signed_in or chosen or environ.get(TENANT):
        return
    found = await _tenant_of(f"{management}/subscriptions/{subscription}?api-version=2022-12-01")
    if found and found != signed_in.lower():
        raise CannotRun(
            f"the subscription is in tenant {found}, and the sign-in is to {signed_in}, so nothing was written: if "
            f"that is intended, as with External ID, run: azd env set {TENANT} {signed_in}"
        )


async def _tenant_of(url: str) -> str | None:
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            return _tenant_in(response.headers.get("WWW-Authenticate", ""))
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


def _tenant_in(text: str) -> str | None:
    match = _GUID.search(text)
    return match[1].lower() if match else None
