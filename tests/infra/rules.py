"""The rules that are ours, by name: what the compiler cannot know."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.infra import file_rules, kusto, query_rules, template_rules
from tests.infra.checkout import Checkout

#: Yields one sentence for each mistake that it finds.
type Rule = Callable[[Checkout], Iterator[str]]

RULES: Final[Mapping[str, Rule]] = {
    "alert-calls": query_rules.alert_calls,
    "azd-keys": file_rules.azd_keys,
    "azd-paths": file_rules.azd_paths,
    "azd-tags": file_rules.azd_tags,
    "flex-settings": template_rules.flex_settings,
    "host": file_rules.host,
    "listed-values": template_rules.listed_values,
    "names-read": file_rules.names_read,
    "output-names": template_rules.output_names,
    "parameters": file_rules.parameters,
    "queries": query_rules.queries,
    "query-weights": query_rules.query_weights,
    "queries-used": query_rules.queries_used,
    "role-order": template_rules.role_order,
    "secrets": template_rules.secrets,
}
_OF_FILES: Final = frozenset({"alert-calls", "azd-keys", "azd-paths", "host", "parameters", "queries", "query-weights"})


def why_not(rule: str, checkout: Checkout) -> str | None:
    """Return what a rule needs and is missing, or None when it can run."""
    if rule == "queries":
        return kusto.why_not()
    if rule == "azd-keys" and file_rules.azd_schema() is None:
        return f"azd's published schema is missing: {file_rules.AZD_SCHEMA} names the file"
    if rule not in _OF_FILES and not checkout.templates:
        return "the Bicep compiler is missing"
    return None


def findings(checkout: Checkout) -> dict[str, list[str]]:
    """Return what each rule finds that can run; a rule that finds nothing is left out."""
    found = {name: list(rule(checkout)) for name, rule in RULES.items() if why_not(name, checkout) is None}
    return {name: messages for name, messages in found.items() if messages}
