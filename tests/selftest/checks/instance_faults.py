"""For each check of several instances, the app and the settings that make it fail."""

from dataclasses import dataclass, replace

from selftest.checks.bench.variant import NOT_SHARING, SHARING, AppVariant

#: An endpoint that asks its cache before it answers.
_ASKS_FIRST = """
import socket, urllib.parse

answer = Endpoint.token_issuance_start

async def _ask_first(self, headers, body):
    address = urllib.parse.urlsplit(os.environ["Claims__SharedCache"])
    socket.create_connection((address.hostname, address.port)).close()
    return await answer(self, headers, body)

Endpoint.token_issuance_start = _ask_first
"""


@dataclass(frozen=True)
class InstanceFault:
    """What is wrong with the instances.

    Attributes:
        variant: Their settings.
        code: What the app does besides, at the end of ``function_app.py``.
    """

    variant: AppVariant
    code: str = ""


INSTANCE_FAULTS = {
    "I01": InstanceFault(NOT_SHARING),
    "I02": InstanceFault(replace(NOT_SHARING, policy="fail")),
    "I03": InstanceFault(NOT_SHARING),
    "I04": InstanceFault(SHARING, _ASKS_FIRST),
}
