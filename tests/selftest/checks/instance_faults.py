"""For each check of several instances, the app and the settings that make it fail."""

from dataclasses import dataclass, replace

from selftest.checks.bench.variant import NOT_SHARING, SHARING, AppVariant

#: An endpoint that asks its cache before each answer, instead of after it.
_ASKS_FIRST = """
import os, socket, urllib.parse
from claims.shared_cache.replies import SharedReplies

def _ask_first(self, key, good, before):
    address = urllib.parse.urlsplit(os.environ["Claims__SharedCache"])
    socket.create_connection((address.hostname, address.port)).close()

SharedReplies.offer = _ask_first
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
