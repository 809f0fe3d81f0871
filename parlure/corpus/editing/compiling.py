"""Python's tree of an expression → a function of an utterance, once everything in it is known to make sense.

Only what has a branch here exists: names of fields, ``tag.NAME``, numbers, quoted texts, lists of them, comparisons,
``in``, ``is None``, ``and``, ``or``, ``not``. No function can be called and no attribute reached.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from parlure.corpus.editing.fields import FIELDS, Field, Get, Kind, as_number, tag_field
from parlure.corpus.manifest import Utterance

Test = Callable[[Utterance], bool]

_ORDERS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.eq, ast.Is: operator.eq, ast.IsNot: operator.eq,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_OPPOSITES = (ast.NotEq, ast.IsNot, ast.NotIn)  # of Eq, Is and In: they hold wherever those do not
_MADE_OF = "an expression is made of comparisons (== != < <= > >=, in, matches, is None) joined by and, or, not"


class ExpressionError(Exception):
    """What is wrong with an expression, and where: columns from 1."""

    def __init__(self, column: int, message: str, hint: str = _MADE_OF) -> None:
        super().__init__(message)
        self.column = column
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Operand:
    """One side of a comparison.

    Attributes:
        kind: what it is.
        written: how it stands in the expression.
        column: where, from 1.
        field: what is asked of the utterance; None where it is a value that stands in the expression.
        value: that value.
        is_tag: whether it is ``tag.NAME``, which may be compared with numbers too.
    """

    kind: Kind
    written: str
    column: int
    field: Field | None = None
    value: Any = None
    is_tag: bool = False

    @property
    def get(self) -> Get:
        """Its value for an utterance."""
        if self.field is not None:
            return self.field.get
        return lambda utterance: self.value


class Compiler:
    """Walks a tree; remembers the fields and tags that it met.

    Args:
        line: the expression, of which the tree has the columns.
    """

    def __init__(self, line: str) -> None:
        self._raw = line.encode()
        self.fields: list[str] = []
        self.tags: list[str] = []

    def condition(self, node: ast.expr) -> Test:
        """The function that says whether a part of the tree holds.

        Raises:
            ExpressionError: it is no condition, or one that makes no sense.
        """
        match node:
            case ast.BoolOp(op=op, values=values):
                tests = [self.condition(value) for value in values]
                return _all(tests) if isinstance(op, ast.And) else _any(tests)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return _opposite(self.condition(inner))
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [left, *others]
                pairs = zip(sides, ops, others, strict=False)
                return _all([self._comparison(node, first, op, second) for first, op, second in pairs])
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                return self._match(left, right)
        operand = self._operand(node)
        hint = f"compare it, such as {operand.written} {'> 1' if operand.kind is Kind.NUMBER else '== ...'}"
        hint = f'"..." in {operand.written}' if operand.kind is Kind.TEXTS else hint
        raise ExpressionError(operand.column, f"{operand.written} is {operand.kind.value}, not a condition", hint)

    def _comparison(self, whole: ast.expr, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Test:
        if isinstance(op, (ast.In, ast.NotIn)):
            test = self._membership(left, right)
        else:
            test = self._order(whole, self._operand(left), op, self._operand(right))
        return _opposite(test) if isinstance(op, _OPPOSITES) else test

    def _order(self, whole: ast.expr, left: Operand, op: ast.cmpop, right: Operand) -> Test:
        if left.field is None and right.field is None:
            raise ExpressionError(
                left.column, f"{left.written} and {right.written}: neither is a field", _fields_hint()
            )
        if Kind.NOTHING in (left.kind, right.kind):
            return _unknown(*((left, right) if right.kind is Kind.NOTHING else (right, left)), op)
        if isinstance(op, (ast.Is, ast.IsNot)):
            raise ExpressionError(self._column(whole), "is compares with None alone", "write == or !=")
        if Kind.TEXTS in (left.kind, right.kind):
            raise ExpressionError(
                left.column, "tags is a list of texts and is not compared", 'write: "gender=female" in tags'
            )
        left, right = _as_numbers(left, right), _as_numbers(right, left)
        if left.kind is not right.kind:
            raise ExpressionError(
                left.column,
                f"{left.written} is {left.kind.value} and {right.written} {right.kind.value}: they cannot be compared",
                _kind_hint(left, right),
            )
        for one, other in ((left, right), (right, left)):
            _check_choice(one, other)
        return _compared(left, _ORDERS[type(op)], right)

    def _membership(self, left: ast.expr, right: ast.expr) -> Test:
        wanted = self._operand(left)
        if isinstance(right, (ast.Tuple, ast.List, ast.Set)):
            return self._in_list(wanted, [self._operand(item) for item in right.elts], right)
        place = self._operand(right)
        if place.field is None:
            hint = f'write: {wanted.written} in ({place.written}, "...")'
            raise ExpressionError(place.column, f"{place.written} is {place.kind.value}, not a list", hint)
        if place.kind not in (Kind.TEXT, Kind.TEXTS):
            raise ExpressionError(place.column, f"{place.written} is {place.kind.value}, and holds nothing", _MADE_OF)
        if wanted.kind is not Kind.TEXT:
            message = f"{wanted.written} is {wanted.kind.value}, and {place.written} holds texts"
            raise ExpressionError(wanted.column, message, f'a text stands in quotes: "{wanted.written}"')
        get_wanted, get_place = wanted.get, place.get
        if wanted.field is None:
            text = wanted.value
            return lambda utterance: text in (get_place(utterance) or ())
        return lambda utterance: _is_in(get_wanted(utterance), get_place(utterance))

    def _in_list(self, wanted: Operand, items: list[Operand], node: ast.expr) -> Test:
        if wanted.field is None:
            raise ExpressionError(wanted.column, f"{wanted.written} is not a field", _fields_hint())
        if not items:
            raise ExpressionError(self._column(node), "the list is empty", 'write: speaker in ("a", "b")')
        for item in items:
            if item.field is not None or item.kind is Kind.NOTHING:
                raise ExpressionError(
                    item.column,
                    f"{item.written} cannot stand in a list",
                    f"a list holds values; write: or {wanted.written} == {item.written}",
                )
            wanted = _as_numbers(wanted, item)
            if item.kind is not wanted.kind:
                message = f"{wanted.written} is {wanted.kind.value} and {item.written} {item.kind.value}"
                raise ExpressionError(item.column, f"{message}: they cannot be compared", _kind_hint(wanted, item))
            _check_choice(wanted, item)
        get, values = wanted.get, frozenset(item.value for item in items)
        return lambda utterance: get(utterance) in values

    def _match(self, left: ast.expr, right: ast.expr) -> Test:
        place, pattern = self._operand(left), self._operand(right)
        if place.field is None or place.kind is not Kind.TEXT:
            what = "not a field" if place.field is None else place.kind.value
            raise ExpressionError(
                place.column, f"{place.written} is {what}: matches looks into a text", 'write: text matches "xxx"'
            )
        if pattern.field is not None or pattern.kind is not Kind.TEXT:
            raise ExpressionError(
                pattern.column,
                f"{pattern.written} is not a quoted text",
                'after matches comes a regular expression: "xxx|yyy"',
            )
        plain = re.fullmatch(r"[rR]?(\"|')(.*)\1", pattern.written)
        source = plain[2] if plain else pattern.value  # as it stands in the quotes: "\b" is no backspace here
        try:
            search = re.compile(source).search
        except re.error as error:
            column = pattern.column + (plain.start(2) if plain else 1) + (error.pos or 0)
            raise ExpressionError(
                column,
                f"the regular expression does not end well: {error.msg}",
                "a character with a meaning is written with \\ before it",
            ) from error
        get = place.get
        if place.field.optional:
            return lambda utterance: (value := get(utterance)) is not None and search(value) is not None
        return lambda utterance: search(get(utterance)) is not None

    def _operand(self, node: ast.expr) -> Operand:
        column, written = self._column(node), self._written(node)
        match node:
            case ast.Name(id=name):
                if name not in FIELDS:
                    raise ExpressionError(column, f"there is no field {name}", _name_hint(name))
                self.fields.append(name)
                return Operand(FIELDS[name].kind, written, column, FIELDS[name])
            case ast.Attribute(value=ast.Name(id="tag"), attr=name):
                return self._tag(name, written, column)
            case ast.Subscript(value=ast.Name(id="tag"), slice=ast.Constant(value=str(name))):
                return self._tag(name, written, column)
            case ast.Constant(value=None):
                return Operand(Kind.NOTHING, written, column)
            case ast.Constant(value=str(text)):
                return Operand(Kind.TEXT, written, column, value=text)
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return Operand(Kind.NUMBER, written, column, value=number)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return Operand(Kind.NUMBER, written, column, value=-number)
        raise ExpressionError(column, f"{written} has no place in an expression", _MADE_OF)

    def _tag(self, name: str, written: str, column: int) -> Operand:
        self.fields.append("tag")
        self.tags.append(name)
        return Operand(Kind.TEXT, written, column, tag_field(name), is_tag=True)

    def _column(self, node: ast.expr) -> int:
        return len(self._raw[: node.col_offset].decode(errors="replace")) + 1

    def _written(self, node: ast.expr) -> str:
        return self._raw[node.col_offset : node.end_col_offset].decode(errors="replace")


def _all(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda utterance: all(test(utterance) for test in tests)


def _any(tests: list[Test]) -> Test:
    return lambda utterance: any(test(utterance) for test in tests)


def _opposite(test: Test) -> Test:
    return lambda utterance: not test(utterance)


def _compared(left: Operand, holds: Callable[[Any, Any], bool], right: Operand) -> Test:
    """A comparison, which does not hold where a side is not known."""
    get_left, get_right = left.get, right.get
    if right.field is None:  # most of all expressions: one call less for each utterance
        value = right.value
        return lambda utterance: (found := get_left(utterance)) is not None and holds(found, value)
    return lambda utterance: (
        (first := get_left(utterance)) is not None
        and (second := get_right(utterance)) is not None
        and holds(first, second)
    )


def _unknown(field: Operand, nothing: Operand, op: ast.cmpop) -> Test:
    if not isinstance(op, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)):
        raise ExpressionError(nothing.column, "None is neither more nor less than anything", "write: is None")
    if field.field is None or not field.field.optional:
        optional = ", ".join(name for name, one in FIELDS.items() if one.optional)
        raise ExpressionError(field.column, f"{field.written} is never None", f"None may be {optional}, tag.NAME")
    get = field.get
    return lambda utterance: get(utterance) is None


def _as_numbers(one: Operand, other: Operand) -> Operand:
    """A tag that is compared with a number, read as one."""
    if not (one.is_tag and one.field is not None and other.kind is Kind.NUMBER):
        return one
    field = Field(Kind.NUMBER, as_number(one.field.get), one.field.meaning, optional=True)
    return Operand(Kind.NUMBER, one.written, one.column, field, is_tag=True)


def _check_choice(field: Operand, value: Operand) -> None:
    if field.field is None or not field.field.choices or value.field is not None:
        return
    choices = field.field.choices
    if value.value not in choices:
        close = get_close_matches(str(value.value), choices, n=1)
        raise ExpressionError(
            value.column,
            f"no {field.written} is called {value.written}",
            f"did you mean {close[0]}" if close else f"there are {', '.join(choices)}",
        )


def _is_in(wanted: str | None, place: Iterable[str] | None) -> bool:
    return wanted is not None and place is not None and wanted in place


def _name_hint(name: str) -> str:
    close = get_close_matches(name, FIELDS, n=1)
    return f"did you mean {close[0]}" if close else f'a text stands in quotes: "{name}"; {_fields_hint()}'


def _fields_hint() -> str:
    return f"the fields are {', '.join(FIELDS)}, tag.NAME"


def _kind_hint(left: Operand, right: Operand) -> str:
    field = left if left.field is not None else right
    if field.field is not None and field.written == "text":
        return "n_words, n_chars and chars_per_s are numbers"
    return "a number stands without quotes" if field.kind is Kind.NUMBER else "a text stands in quotes"
