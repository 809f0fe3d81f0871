"""Every error that a user can see is raised by some test, which knows its message and its hint."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import parlure

ERRORS = {"ParlureError": 0, "AudioError": 1}  # where the message stands among the arguments; the hint follows
SHORTEST, LONGEST = 6, 30  # characters: a shorter fragment is left out, of a longer one the beginning is looked for


def pieces(text: ast.expr) -> list[str]:
    """The constant parts of one text: a string, an f-string or a sum of them."""
    match text:
        case ast.Constant(value=str(value)):
            return [value.strip(" ,:;(")]
        case ast.JoinedStr(values=values):
            return [piece for value in values for piece in pieces(value)]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return pieces(left) + pieces(right)
    return []


def texts(argument: ast.expr, named: dict[str, list[ast.expr]]) -> Iterator[ast.expr]:
    """What an argument may be: both sides of a condition, all that its name was given."""
    match argument:
        case ast.IfExp(body=body, orelse=orelse):
            yield from texts(body, named)
            yield from texts(orelse, named)
        case ast.Name(id=name):
            for value in named.get(name, []):
                yield from texts(value, {})
        case _:
            yield argument


def messages(module: Path) -> Iterator[tuple[int, str, str]]:
    """Line, kind and longest constant fragment of each message and hint in a module."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    named: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named.setdefault(node.targets[0].id, []).append(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := ast.unparse(node.func).rpartition(".")[2]) in ERRORS:
            arguments = node.args[ERRORS[name] :] + [keyword.value for keyword in node.keywords]
            for kind, argument in zip(("message", "hint"), arguments, strict=False):
                for text in texts(argument, named):
                    yield node.lineno, kind, max(pieces(text), key=len, default="")


def strings(test_file: Path) -> Iterator[str]:
    """The strings of a test file but its docstrings, without the backslashes of regular expressions."""
    tree = ast.parse(test_file.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value.replace("\\", "")


def test_every_message_and_hint_is_in_a_test() -> None:
    here, package = Path(__file__), Path(parlure.__file__).parent
    tested = [string for path in here.parent.glob("test_*.py") if path != here for string in strings(path)]
    found = [(path, *message) for path in sorted(package.rglob("*.py")) for message in messages(path)]
    assert len(found) > 200  # the search itself works
    missing = [
        f"{path.relative_to(package)}:{line} {kind}: {fragment}"
        for path, line, kind, fragment in found
        if len(fragment) >= SHORTEST and not any(fragment[:LONGEST] in string for string in tested)
    ]
    if missing:
        pytest.fail("\n".join(["no test checks", *missing]), pytrace=False)
