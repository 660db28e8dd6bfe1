"""Entra's own opinion of the wiring, asked until it has nothing to say.

It looks at app registration, service principal, consent and target URL, before the extension is made or changed. It
does not call the endpoint, and being clean does not prove that Entra will.

Source: Microsoft Graph v1.0 ``customauthenticationextension-validateauthenticationconfiguration.md``.
"""

from collections.abc import Mapping
from typing import Any, Final

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.errors import safe_text
from selftest.tenant.objects.errors import NotClean
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.extension import EXTENSIONS, authentication
from selftest.tenant.objects.steps.found_objects import Found
from selftest.tenant.objects.wait_times import Pace

#: What does not pass by itself: it compares two texts of the request.
_LASTING: Final = frozenset({"IncorrectResourceIdFormat", "DomainNameDoesNotMatch"})


async def validate(client: GraphClient, intent: Intent, found: Found, pace: Pace) -> None:
    """Ask until errors and warnings are empty: a new service principal or consent is missing for some seconds.

    Raises:
        NotClean: at the deadline, or at once for what does not pass; names what Entra said last.
        GraphError: it could not be asked.
    """
    deadline = pace.clock() + pace.validate_s
    while True:
        answer = await client.act(f"{EXTENSIONS}/validateAuthenticationConfiguration", authentication(intent, found))
        said = [each for kind in ("errors", "warnings") for each in answer.get(kind) or ()]
        if not said:
            return
        lasting = any(each.get("code") in _LASTING for each in said)
        if lasting or pace.clock() + pace.between_s >= deadline:
            waited = "and this does not pass by itself" if lasting else f"still after {pace.validate_s:g} s"
            raise NotClean(
                f"Entra's validation is not clean, {waited}: {'; '.join(map(_shown, said))}. The extension is "
                "untouched. `python -m selftest explain CODE` tells more; run the same command again to go on"
            )
        await pace.sleep(pace.between_s)


def _shown(each: Mapping[str, Any]) -> str:
    return safe_text(f"{each.get('code')} {each.get('message')}").rstrip(".")
