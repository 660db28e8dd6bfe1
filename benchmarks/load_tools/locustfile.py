"""Locust as its documentation has it: users with a constant throughput, and as many as the rate and latency need."""

import os
from pathlib import Path

from locust import FastHttpUser, constant_throughput


class PacedUser(FastHttpUser):  # type: ignore[misc]  # Locust is not in the environment that types are checked in
    """Posts the event, and waits for the rest of its second."""

    wait_time = constant_throughput(float(os.environ["TRUTH_RATE_PER_USER"]))
    _body = Path(os.environ["TRUTH_BODY"]).read_text(encoding="utf-8")

    def call(self) -> None:
        """Send one callout."""
        self.client.post(
            os.environ["TRUTH_PATH"], self._body, headers={"Content-Type": "application/json"}, name="callout"
        )

    tasks = [call]  # noqa: RUF012 - Locust reads it from the class
