"""Requests Entra's validation of the configuration until it reports nothing.

It checks app registration, service principal, consent and target URL, before the extension is created or changed. It
does not call the endpoint, and a clean result does not prove that Entra will.

Source: Microsoft Graph v1.0 ``customauthenticationextension-validateauthenticationconfiguration.md``.
"""

from collections.abc import Mapping
from typing import Any, Final

from selftest.base.program import PROGRAM
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.errors import safe_text
from selftest.tenant.graph.objects import EXTENSIONS
from selftest.tenant.objects.errors import NotClean
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.extension import authentication
from selftest.tenant.objects.steps.found_objects import FoundObjects
from selftest.tenant.objects.wait_times import WaitTimes

#: Problems that do not disappear with time: they compare two texts of the request.
_LASTING: Final = frozenset({"IncorrectResourceIdFormat", "DomainNameDoesNotMatch"})


async def validate(client: GraphClient, intent: Intent, found: FoundObjects, times: WaitTimes) -> None:
    """Validate until errors and warnings are empty: a new service principal or consent is missing for some seconds.

    Raises:
        NotClean: At the deadline, or at once for a lasting problem; names what Entra reported last.
        GraphError: The validation could not be requested.
    """
    deadline = times.clock() + times.validate_s
    while True:
        answer = await client.act(f"{EXTENSIONS}/validateAuthenticationConfiguration", authentication(intent, found))
        problems = [each for kind in ("errors", "warnings") for each in answer.get(kind) or ()]
        if not problems:
            return
        lasting = any(each.get("code") in _LASTING for each in problems)
        if lasting or times.clock() + times.between_s >= deadline:
            waited = "and does not become so with time" if lasting else f"still after {times.validate_s:g} s"
            raise NotClean(
                f"Entra's validation is not clean, {waited}: {'; '.join(map(_shown, problems))}. The extension is "
                f"untouched. `{PROGRAM} explain CODE` explains a code; run the same command again to go on"
            )
        await times.sleep(times.between_s)


def _shown(problem: Mapping[str, Any]) -> str:
    return safe_text(f"{problem.get('code')} {problem.get('message')}").rstrip(".")
