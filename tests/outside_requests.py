"""Finds records that the endpoint logs while no request runs: Microsoft's host drops them, so no owner reads them."""

import logging
import sys
from types import CodeType
from typing import Final

from claims.endpoint import Endpoint

#: A record belongs to a request if one of these is on the stack. A task has a stack of its own: what it logs may come
#: after the answer, whoever started it.
_REQUESTS: Final[frozenset[CodeType]] = frozenset({Endpoint.token_issuance_start.__code__, Endpoint.health.__code__})


class OutsideRequests(logging.Handler):
    """Collects the texts of such records.

    Attributes:
        found: ``logger: text`` of each, since it was last emptied.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Look for a request on the stack."""
        frame = sys._getframe()
        while frame.f_back is not None:
            frame = frame.f_back
            if frame.f_code in _REQUESTS:
                return
        self.found.append(f"{record.name}: {record.getMessage()}")
