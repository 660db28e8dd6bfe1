"""``azure.yaml`` against azd's published schema, and against what it names here.

The schema is Microsoft's and is not part of this project: like the Bicep types it is found by a path given from
outside. Its own rules let unknown keys of a service pass, so these are compared with the keys that it lists.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import validators

from infra.checker.bicep import BicepFile, literal, member, walk
from infra.checker.finding import Finding
from infra.checker.published import find_published

ENVIRONMENT_VARIABLE: Final = "AZD_SCHEMA"
NAME: Final = "azure.yaml.schema.json"
_MAKE: Final = re.compile(r"(?m)^\s*make ([a-z.]+)")
_TAG: Final = "azd-service-name"


def find_schema(root: Path, given: Path | None = None) -> Path | None:
    """Find the schema: the one given, the environment's, or the one beside the checkout; None when there is none."""
    return find_published(root, NAME, ENVIRONMENT_VARIABLE, given)


def azd_findings(root: Path, schema: Path | None, files: list[BicepFile]) -> list[Finding]:
    """Find what azd would not understand, or would not find."""
    path = root / "azure.yaml"
    try:
        project = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        return [Finding(path, 0, "azd", f"cannot be read: {str(error).splitlines()[0]}")]
    if not isinstance(project, dict):
        return [Finding(path, 0, "azd", "is no mapping of keys")]
    messages = [*_schema(project, schema), *_named(project, root), *_tags(project, files)]
    return [Finding(path, 0, "azd", message) for message in messages]


def _schema(project: Any, schema: Path | None) -> Iterator[str]:
    if schema is None:
        return
    document = json.loads(schema.read_text(encoding="utf-8"))
    for error in validators.validator_for(document)(document).iter_errors(project):
        yield f"{error.json_path}: {error.message[:160]}"
    known = document["properties"]["services"]["additionalProperties"]["properties"]
    for name, service in project.get("services", {}).items():
        for key in sorted(set(service) - set(known)):
            yield f"services.{name} has no key {key}"


def _named(project: Any, root: Path) -> Iterator[str]:
    infra = project.get("infra", {})
    module = root / infra.get("path", "infra") / f"{infra.get('module', 'main')}.bicep"
    if not module.is_file():
        yield f"infra names {module.relative_to(root)}, which is not there"
    for name, service in project.get("services", {}).items():
        if not (root / service.get("project", ".")).is_dir():
            yield f"services.{name}.project names {service['project']}, which is not there"
    makefile = root / "Makefile"
    targets = set(re.findall(r"(?m)^([a-z.]+):", makefile.read_text(encoding="utf-8"))) if makefile.is_file() else set()
    for script in scripts(project):
        for target in _MAKE.findall(script):
            if target not in targets:
                yield f"a hook calls make {target}, and the Makefile has no such target"


def scripts(project: Any) -> Iterator[str]:
    """Give what the hooks run, those of the services included."""
    for holder in [project, *project.get("services", {}).values()]:
        for hooks in holder.get("hooks", {}).values():
            for hook in hooks if isinstance(hooks, list) else [hooks]:
                yield str(hook.get("run", ""))


def _tags(project: Any, files: list[BicepFile]) -> Iterator[str]:
    """Hold the tag by which azd finds the app against the services' names."""
    nodes = (node for file in files for node in walk(file.root) if node.type == "object")
    tagged = {name for node in nodes if (name := literal(member(node, _TAG)))}
    services = set(project.get("services", {}))
    for name in sorted(services - tagged):
        yield f"no resource has the tag {_TAG}: {name}, by which azd finds the app of services.{name}"
    if services <= tagged:
        yield from (f"a resource has the tag {_TAG}: {name}, and no service is called so" for name in tagged - services)
