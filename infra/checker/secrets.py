"""Secrets: none in an output, none in a parameter's default, no account keys anywhere.

An output is written to the deployment's history, where everybody with read access finds it.
"""

import re
from collections.abc import Iterator
from typing import Final

from tree_sitter import Node

from infra.checker.bicep import BicepFile, literal, text, walk
from infra.checker.finding import Finding
from infra.checker.names import references_in

_LISTS: Final = re.compile(r"^list[A-Z]\w*$")
_SECRET_NAME: Final = re.compile(r"(?i)(secret|password|(?<!shared)key|connection_?string)(?!.*(uri|url|id|name)$)")
_SECRET_MEMBER: Final = re.compile(r"(?i)^(ConnectionString|InstrumentationKey|\w*(Key|Password|Secret)s?\d?)$")
#: Long and without spaces: what a pasted key, token or connection string looks like.
_PASTED: Final = re.compile(r"AccountKey=|SharedAccessKey=|\bsig=|^[A-Za-z0-9+/]{40,}={1,2}$")


def secret_findings(file: BicepFile) -> list[Finding]:
    """Find secrets where others would read them."""
    return [*_outputs(file), *_parameters(file), *_keys(file)]


def _outputs(file: BicepFile) -> Iterator[Finding]:
    secure = {param.name for param in file.of("param") if "secure" in param.decorators}
    for output in file.of("output"):
        if "secure" in output.decorators or output.value is None:
            continue
        read = {text(node) for node in walk(output.value) if node.type == "property_identifier"}
        read |= {called for node in walk(output.value) if (called := _called(node))}
        told = sorted(name for name in read if _SECRET_MEMBER.match(name) or _LISTS.match(name)) + sorted(
            secure & references_in(output.value)
        )
        if told or _SECRET_NAME.search(output.name):
            message = f"output {output.name} would show {', '.join(told) or 'what its name says'} in the history"
            yield Finding(file.path, output.line, "secret", message)


def _parameters(file: BicepFile) -> Iterator[Finding]:
    for param in file.of("param"):
        secure = "secure" in param.decorators
        if secure and literal(param.value):
            yield Finding(file.path, param.line, "secret", f"{param.name} is secure and has a default in the text")
        if not secure and _SECRET_NAME.search(param.name) and param.type_name == "string":
            yield Finding(file.path, param.line, "secret", f"{param.name} looks like a secret and is not @secure()")


def _keys(file: BicepFile) -> Iterator[Finding]:
    outputs = [output.node for output in file.of("output")]
    for node in walk(file.root):
        called = _called(node)
        told = any(output.start_byte <= node.start_byte < output.end_byte for output in outputs)
        if _LISTS.match(called) and not told:
            message = f"{called}() reads keys; give the identity a role, or refer to a Key Vault"
            yield Finding(file.path, node.start_point[0] + 1, "secret", message)
        if node.type == "string" and _PASTED.search(literal(node) or ""):
            yield Finding(file.path, node.start_point[0] + 1, "secret", "a key or a signature stands in the text")


def _called(node: Node) -> str:
    """Name the function or method that is called; nothing for everything else."""
    return text(node.named_children[0]).rpartition(".")[2] if node.type == "call_expression" else ""
