"""Snippets as a list of calls, read and never run: names, literals and the functions on offer.

A line is `name = function(…)`, `name = value` or `function(…)`; a value is a text, a number, a
list, a tuple, a dict, a name, or a call. There is nothing else: no attribute, no operator, no loop,
no import, and so nothing to contain.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping

from tastemaker.closing import Closing
from tastemaker.reinforce.tools import ToolFault
from tastemaker.reinforce.workbench import SnippetFault, Workbench

_DEEPEST = 20
_NODES = 20_000
"""Values that are read; names stand for whole dicts, and could be nested to a great many."""


class GrammarSandbox(Closing):
    """The strictest sandbox, which needs nothing installed."""

    def run(self, code: str, bench: Workbench) -> None:
        """Do what a snippet says.

        Raises:
            SnippetFault: If it says anything that it may not, or asks a tool for what it does not.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes in its texts
                lines = ast.parse(code).body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            told = error.msg if isinstance(error, SyntaxError) else "it cannot be read"
            raise SnippetFault(f"SyntaxError: {told}") from None
        reader = _Reader(bench)
        for line in lines:
            try:
                reader.follow(line)
            except ToolFault as fault:
                raise SnippetFault(f"Line {line.lineno}: {fault}") from None


class _Reader:
    """Follows the lines of a snippet."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._values = dict(bench.values)
        self._read = 0

    def follow(self, line: ast.stmt) -> None:
        if isinstance(line, ast.Assign) and len(line.targets) == 1:
            target = line.targets[0]
            if isinstance(target, ast.Name) and target.id not in self._bench.functions:
                self._values[target.id] = self._value(line.value, 0)
                return
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call | ast.Constant):
            self._value(line.value, 0)
            return
        raise ToolFault("Only `name = value` and calls of the functions on offer are understood.")

    def _value(self, node: ast.expr, depth: int) -> object:
        self._read += 1
        if depth > _DEEPEST or self._read > _NODES:
            raise ToolFault("A value is nested too deep, or too large.")
        kind = next((kind for kind in _VALUES if isinstance(node, kind)), None)
        if kind is None:
            raise ToolFault(
                f"{type(node).__name__} is not understood here: write values and calls."
            )
        return _VALUES[kind](self, node, depth + 1)

    def constant(self, node: ast.Constant, depth: int) -> object:
        if isinstance(node.value, str | int | float | None):
            return node.value
        raise ToolFault(f"A {type(node.value).__name__} is not understood here.")

    def name(self, node: ast.Name, depth: int) -> object:
        if node.id not in self._values:
            raise ToolFault(f"name {node.id[:40]!r} is not defined")
        return self._values[node.id]

    def sequence(self, node: ast.List | ast.Tuple, depth: int) -> object:
        return [self._value(one, depth) for one in node.elts]

    def dictionary(self, node: ast.Dict, depth: int) -> object:
        made: dict[object, object] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant):
                raise ToolFault("The keys of a dict are texts.")
            made[self.constant(key, depth)] = self._value(value, depth)
        return made

    def negative(self, node: ast.UnaryOp, depth: int) -> object:
        number = self._value(node.operand, depth)
        if isinstance(node.op, ast.USub) and isinstance(number, int | float):
            return -number
        raise ToolFault("Only a minus sign is understood before a number.")

    def call(self, node: ast.Call, depth: int) -> object:
        if not isinstance(node.func, ast.Name) or node.func.id not in self._bench.functions:
            known = ", ".join(self._bench.functions[-1:] + self._bench.functions[:2])
            raise ToolFault(f"Only the functions on offer can be called, such as {known}.")
        named: dict[str, object] = {}
        given = [self._value(one, depth) for one in node.args]
        for keyword in node.keywords:
            if keyword.arg is None:
                raise ToolFault("Write arguments one by one.")
            named[keyword.arg] = self._value(keyword.value, depth)
        return self._bench.call(node.func.id, given, named)


_VALUES: Mapping[type[ast.expr], Callable[..., object]] = {
    ast.Constant: _Reader.constant,
    ast.Name: _Reader.name,
    ast.List: _Reader.sequence,
    ast.Tuple: _Reader.sequence,
    ast.Dict: _Reader.dictionary,
    ast.UnaryOp: _Reader.negative,
    ast.Call: _Reader.call,
}
