"""A key of an application or a service principal, without the key itself: what it is for, and when it is valid.

Source: microsoft-graph-docs v1.0 ``keyCredential``; entra-docs ``jwt-claims-customization.md``: a custom signing key
has the usage Sign and is at the service principal.
"""

import datetime as dt
from typing import Literal

from selftest.tenant.doctor.evidence.graph_model import GraphModel, ObjectId

type KeyState = Literal["valid", "expired", "not yet valid"]


class KeyCredential(GraphModel, frozen=True):
    """One key."""

    key_id: ObjectId = ObjectId()
    usage: str = ""
    start_date_time: str = ""
    end_date_time: str = ""

    @property
    def signs(self) -> bool:
        """Whether Entra may sign tokens with it."""
        return self.usage.lower() == "sign"

    @property
    def ends_at(self) -> dt.datetime | None:
        """Return the time from which it is expired; None where that is not known."""
        return _time(self.end_date_time)

    def state(self, now: dt.datetime) -> KeyState:
        """Return whether it is valid at a time; a date that cannot be read proves nothing against it."""
        starts_at = _time(self.start_date_time)
        if self.ends_at is not None and self.ends_at <= now:
            return "expired"
        return "not yet valid" if starts_at is not None and starts_at > now else "valid"

    def shown(self, now: dt.datetime) -> str:
        """Return its id and state for people."""
        date = self.start_date_time if self.state(now) == "not yet valid" else self.end_date_time
        verb = {"valid": "ends", "expired": "expired", "not yet valid": "not valid before"}[self.state(now)]
        return f"key {self.key_id[:40] or 'without an id'} {verb} {date[:40]}"


def _time(text: str) -> dt.datetime | None:
    """Return the time that Graph wrote, in UTC where it names no zone."""
    try:
        read = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=dt.UTC)
