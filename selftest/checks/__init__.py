"""Every check, registered by importing the modules that define them.

``REGISTRY`` is in the order in which people read ids: by letter, then by number.
"""

from selftest.checks import (
    body_event,
    body_form,
    body_media,
    body_order,
    contract_behaviour,
    contract_http,
    contract_log,
    contract_refusals,
    contract_reply,
    contract_varieties,
    fault_matrix,
    fault_retry,
    load_budget,
    load_profiles,
    load_start,
    token_accepted,
    token_algorithm,
    token_caller,
    token_encoding,
    token_form,
    token_header,
    token_issuer,
    token_keys,
    token_rotation,
    token_signature,
    token_times,
)
from selftest.checks.registry import REGISTRY, Check, Outcome, UnknownCheckError, select

__all__ = ["REGISTRY", "Check", "Outcome", "UnknownCheckError", "select"]

_in_order = {check.id: check for check in select(())}
REGISTRY.clear()
REGISTRY.update(_in_order)
