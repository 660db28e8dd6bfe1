"""Modules against the files that they name, outputs that are read, and the files that are loaded."""

from pathlib import Path
from typing import Final

from tree_sitter import Node

from infra.checker.bicep import BicepFile, Declaration, literal, member, members, read, text, walk
from infra.checker.constraints import value_problem
from infra.checker.finding import Finding

_LOADERS: Final = {"loadTextContent", "loadJsonContent", "loadYamlContent", "loadFileAsBase64"}


def module_findings(file: BicepFile) -> list[Finding]:
    """Find modules that do not fit what they name, and files that are not there."""
    found = _loaded(file)
    called = {}
    for module in file.of("module"):
        path = (file.path.parent / module.type_name).resolve()
        if not path.is_file():
            found.append(Finding(file.path, module.line, "module", f"{module.name}: there is no {module.type_name}"))
            continue
        called[module.name] = read(path)
        found += _parameters(file, module, called[module.name])
        if called[module.name].scope != file.scope and member(module.value, "scope") is None:
            message = f"module {module.name} deploys to a {called[module.name].scope} and needs a scope"
            found.append(Finding(file.path, module.line, "scope", message))
    return found + _outputs_read(file, called)


def needs_value(param: Declaration) -> bool:
    """Say whether who deploys has to give a parameter."""
    return param.value is None and not param.type_name.endswith("?")


def _parameters(file: BicepFile, module: Declaration, called: BicepFile) -> list[Finding]:
    wanted = {param.name: param for param in called.of("param")}
    given = member(module.value, "params")
    values = {name: value for name, value, _ in members(given)} if given is not None else {}
    found = [
        Finding(file.path, _line(value), "module", f"{module.type_name} has no parameter {name} (module {module.name})")
        for name, value in values.items()
        if name not in wanted
    ]
    found += [
        Finding(file.path, module.line, "module", f"module {module.name} does not give the parameter {name}")
        for name, param in wanted.items()
        if name not in values and needs_value(param)
    ]
    for name, value in values.items():
        problem = value_problem(value, wanted[name], file) if name in wanted else None
        if problem:
            message = f"the parameter {name} of module {module.name} {problem}"
            found.append(Finding(file.path, _line(value), "module", message))
    return found


def _outputs_read(file: BicepFile, called: dict[str, BicepFile]) -> list[Finding]:
    found = []
    for node in walk(file.root):
        if node.type != "member_expression" or node.named_children[0].type != "member_expression":
            continue
        inner, name = node.named_children[0], text(node.named_children[-1])
        root, middle = text(inner.named_children[0]).rstrip("!"), text(inner.named_children[-1])
        if root not in called or middle != "outputs":
            continue
        if name not in {output.name for output in called[root].of("output")}:
            found.append(Finding(file.path, _line(node), "output", f"module {root} has no output {name}"))
    return found


def _loaded(file: BicepFile) -> list[Finding]:
    found = []
    for node in walk(file.root):
        if node.type != "call_expression" or text(node.named_children[0]) not in _LOADERS:
            continue
        path = loaded_path(node)
        if path is not None and not (file.path.parent / path).is_file():
            found.append(Finding(file.path, _line(node), "file", f"there is no {path} to load"))
    return found


def loaded_path(call: Node) -> Path | None:
    """Give the path that a loading function names."""
    arguments = [child for part in call.named_children[1:] for child in part.named_children]
    name = literal(arguments[0]) if arguments else None
    return None if name is None else Path(name)


def _line(node: Node) -> int:
    return node.start_point[0] + 1
