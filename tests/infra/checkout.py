"""A checkout as the rules see it: its files, and what the compiler made of its Bicep files."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
#: What the rules read of a checkout.
_READ: Final = ("infra", "azure.yaml", "host.json", "docs/deploy.md")
#: The templates that are deployed; those of the modules are inside ``main``.
DEPLOYED: Final = ("main", "tenant/signin-alert", "tenant/signin-logs")
APP: Final = "Microsoft.Web/sites"
_MODULE: Final = "Microsoft.Resources/deployments"


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files of a checkout, and its compiled templates.

    Attributes:
        root: Its folder.
        templates: By the Bicep file's name, like ``main``; empty where there is no compiler.
    """

    root: Path = ROOT
    templates: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a file's text."""
        return (self.root / name).read_text(encoding="utf-8")

    def queries(self) -> dict[str, str]:
        """Return the queries: those of alerts by file name, those of the workbook as ``workbook.yaml#name``."""
        alerts = {path.name: path.read_text(encoding="utf-8") for path in (self.root / "infra/queries").glob("*.kql")}
        views = yaml.safe_load(self.text("infra/workbook.yaml"))
        return dict(sorted(alerts.items())) | {f"workbook.yaml#{view['name']}": view["query"] for view in views}

    def json(self, name: str) -> Any:
        """Return a file's JSON."""
        return json.loads(self.text(name))


def copy(target: Path) -> Path:
    """Copy what the rules read of this checkout into ``target``, and return it."""
    ignored = shutil.ignore_patterns("__pycache__", "hooks_env")
    for name in _READ:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=ignored)
        else:
            shutil.copyfile(ROOT / name, target / name)
    return target


def templates(out: Path) -> dict[str, Any]:
    """Read what the compiler wrote; a file with errors has no template."""
    paths = {name: out / f"{name}.json" for name in DEPLOYED}
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items() if path.exists()}


def walk(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every value in a JSON document, itself included, with the members that lead to it."""
    yield path, node
    if isinstance(node, dict):
        for name, value in node.items():
            yield from walk(value, (*path, name))
    elif isinstance(node, list):
        for value in node:
            yield from walk(value, path)


def resources(template: Any) -> Iterator[tuple[str, Any]]:
    """Yield the resources that a template deploys, with their names in it; those of its modules are not among them."""
    listed = template["resources"]
    named = listed.items() if isinstance(listed, dict) else enumerate(listed)
    for name, resource in named:
        if not resource.get("existing"):
            yield str(name), resource


def deploys(resource: Any, kind: str) -> bool:
    """Whether a resource is of this type, or a module with such a resource in it."""
    if resource["type"] == _MODULE:
        return any(deploys(one, kind) for _, one in resources(resource["properties"]["template"]))
    return bool(resource["type"] == kind)
