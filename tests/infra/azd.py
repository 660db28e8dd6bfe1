"""azd as its source describes it: parameters first, then hooks, the environment read again, outputs over values.

Not azd itself, which no test here can run without Azure. Read: Azure/azure-dev ae35809 (1.31.2, 2026-08-21),
``cli/azd/cmd/up.go`` (Initialize asks before the workflow), ``cmd/root.go`` (a preview skips the hooks),
``pkg/ext/hooks_runner.go`` (the environment is read again around each hook),
``pkg/infra/provisioning/bicep/bicep_provider.go`` (parameters),
``provisioning/manager.go`` (outputs, which `down` deletes).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: What deploys: values by parameter to outputs.
type Azure = Callable[[Mapping[str, Any]], Mapping[str, Any]]
#: Runs a hook with the environment, and returns its exit code.
type Hook = Callable[[str, Mapping[str, str]], int]


class MissingInputsError(Exception):
    """Raised in no-prompt mode when a required parameter has no value."""


class HookError(Exception):
    """Raised when a hook fails; azd stops there."""


@dataclass(slots=True)
class Azd:
    """One environment of azd.

    Attributes:
        declared: The parameters of the compiled template.
        given: The parameter file.
        azure: What deploys.
        hook: What runs a hook.
        dotenv: The environment's values; a hook may change them.
        answers: What a person types when asked for a parameter; None in no-prompt mode.
        asked: The parameters that azd asked for.
    """

    declared: Mapping[str, Any]
    given: Mapping[str, Any]
    azure: Azure
    hook: Hook
    dotenv: dict[str, str]
    answers: Mapping[str, str] | None = None
    asked: list[str] = field(default_factory=list)
    _outputs: Mapping[str, Any] = field(default_factory=dict)
    _deployed: Mapping[str, Any] | None = None

    def up(self) -> None:
        """Ask, then do the two steps of ``workflows.up``."""
        self.parameters()
        self.provision()
        self.deploy()

    def provision(self) -> None:
        """Deploy after the hook, unless nothing has changed; the outputs replace values of their names."""
        self._hook("preprovision")
        values = self.parameters()
        if values != self._deployed:
            self._outputs, self._deployed = self.azure(values), values
        self.dotenv.update({name: str(value) for name, value in self._outputs.items()})

    def preview(self) -> Mapping[str, Any]:
        """Ask as before a deployment, and run no hook."""
        return self.azure(self.parameters())

    def deploy(self) -> None:
        """Upload the package between the two hooks."""
        self._hook("predeploy")
        self._hook("postdeploy")

    def down(self) -> None:
        """Delete what was deployed, and the outputs from the environment; other values stay."""
        for name in self._outputs:
            self.dotenv.pop(name, None)
        self._outputs, self._deployed = {}, None

    def parameters(self) -> dict[str, Any]:
        """Return the values that azd deploys with, asking for the required ones that have none."""
        values = {name: value for name in self.given if (value := self._loaded(name)) is not None}
        missing = [
            name
            for name, rules in sorted(self.declared.items())
            if name not in values and "defaultValue" not in rules and not rules.get("nullable")
        ]
        if missing and self.answers is None:
            raise MissingInputsError(missing)
        for name in missing:
            self.asked.append(name)
            values[name] = (self.answers or {})[name]
            if name == "location":
                self.dotenv["AZURE_LOCATION"] = values[name]
        return values

    def _hook(self, name: str) -> None:
        if code := self.hook(name, self.dotenv):
            raise HookError(f"{name} exited with {code}")

    def _loaded(self, name: str) -> Any:
        """Substitute as loadParameters does, then convert as armParameterFileValue does."""
        kind, value = self.declared[name]["type"], self.given[name]
        if kind in {"object", "array"} and isinstance(value, str):
            replaced, unset = self._substituted(value)
            return None if not replaced and unset else json.loads(replaced)
        replaced, unset = self._substituted(json.dumps(value))
        resolved = json.loads(replaced)
        if not isinstance(resolved, str):
            return resolved
        if not resolved and unset:
            return None
        return _converted(kind, resolved, self.declared[name].get("defaultValue"))

    def _substituted(self, text: str) -> tuple[str, bool]:
        pattern = re.compile(r"\$\{(\w+)(?:(?::-|:?=)([^}]*))?\}")
        unset = any(found[1] not in self.dotenv for found in pattern.finditer(text))
        return pattern.sub(lambda found: self.dotenv.get(found[1]) or found[2] or "", text), unset


def _converted(kind: str, text: str, default: object) -> Any:
    if kind == "bool":
        bools = dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True)
        return (bools | dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False)).get(text)
    if kind == "int":
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else None
    return text if text or (isinstance(default, str) and default) else None
