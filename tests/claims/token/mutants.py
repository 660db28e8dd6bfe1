"""Mutants: copies of a function, each with one check taken out.

A check is an operand of the condition before a ``raise`` or ``return``, an operand of a returned ``and``, an element of
a tuple that a loop of checks goes through, or a call that stands alone for the sake of what it raises.
"""

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import CodeType, FunctionType
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """A function without one of its checks.

    Attributes:
        name: the function and the check that is gone.
        function: the original, whose code is exchanged while the mutant is alive.
        code: what the mutant runs.
    """

    name: str
    function: FunctionType
    code: CodeType

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Put the mutant in the original's place, wherever that is referred to."""
        original = self.function.__code__
        self.function.__code__ = self.code
        try:
            yield
        finally:
            self.function.__code__ = original


def mutants_of(function: Callable[..., Any]) -> list[Mutant]:
    """Make every mutant of a function."""
    assert isinstance(function, FunctionType)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    total = len(list(_sites(tree)))
    made = []
    for index in range(total):
        changed = copy.deepcopy(tree)
        what = list(_sites(changed))[index]()
        namespace = dict(function.__globals__)
        changed = ast.fix_missing_locations(_Unwrap().visit(changed))
        exec(compile(changed, "<mutant>", "exec"), namespace)  # noqa: S102 (our own source)
        code = namespace[function.__name__].__code__
        made.append(Mutant(f"{function.__qualname__} without [{what}]", function, code))
    return made


class _Unwrap(ast.NodeTransformer):
    """Writes ``a`` for an ``and`` or ``or`` that has lost its other operand."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        return node if len(node.values) > 1 else node.values[0]


def _sites(tree: ast.AST) -> Iterator[Callable[[], str]]:
    """Find the checks; calling one takes it out of its tree and says what it was."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise | ast.Return):
            if isinstance(node.test, ast.BoolOp):
                yield from _operands(node.test)
            else:
                yield partial(_set_test, node)
        elif isinstance(node, ast.Return) and node.value is not None:
            for operation in ast.walk(node.value):
                if isinstance(operation, ast.BoolOp):
                    yield from _operands(operation)
        elif isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
            yield from (partial(_pop, node.iter.elts, index) for index in range(len(node.iter.elts)))
        elif hasattr(node, "body") and isinstance(node.body, list):
            yield from _calls(node.body)


def _operands(test: ast.BoolOp) -> Iterator[Callable[[], str]]:
    yield from (partial(_pop, test.values, index) for index in range(len(test.values)))


def _calls(body: list[ast.stmt]) -> Iterator[Callable[[], str]]:
    for index, statement in enumerate(body):
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and _is_bare(statement.value):
            yield partial(_pop, body, index)


def _is_bare(call: ast.Call) -> bool:
    """Say whether a plain function is called; a method (of a logger, of a set) is no check."""
    return isinstance(call.func, ast.Name)


def _set_test(node: ast.If) -> str:
    what = ast.unparse(node.test)
    node.test = ast.Constant(value=False)
    return what


def _pop(nodes: list[Any], index: int) -> str:
    what = ast.unparse(nodes[index])
    if len(nodes) == 1 and isinstance(nodes[0], ast.stmt):
        nodes[0] = ast.Pass()
    else:
        nodes.pop(index)
    return what
