"""Text → a condition on utterances: read, checked against what there is, and only then run.

    duration_s > 1 and language == "fr" and "gender=female" in tags and not text matches "xxx"

Python's own parser reads it, but nothing of Python is run: its tree is walked, and whatever is not in this file is
refused with its column. ``matches`` is an operator of ours (a regular expression, found anywhere in the text).

*Not known* (None) is a value like others that is equal to nothing but None: a comparison with it does not hold, and
its opposite does (``speaker != "a"`` holds where nobody knows who speaks). So ``E`` and ``not (E)`` divide a corpus in
two: every utterance is in one of them.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from parlure.corpus.editing.compiling import Compiler, ExpressionError, Test
from parlure.corpus.editing.fields import FIELDS, tag_names
from parlure.corpus.manifest import Utterance
from parlure.errors import ParlureError

_MAX_CHARS = 10_000
_STAND_IN = "@      "  # an operator of Python's that no expression has, as long as the word matches
_EXAMPLE = 'such as: duration_s > 1 and language == "fr" and not text matches "xxx"'


@dataclass(frozen=True)
class Part:
    """One of the conditions that an expression joins by ``and``.

    Attributes:
        text: as the person wrote it.
        fields: the names of what it speaks of.
        holds: whether it holds for an utterance.
    """

    text: str
    fields: tuple[str, ...]
    holds: Test

    def sentence(self, utterance: Utterance) -> str:
        """Why it does not hold: the values that it speaks of."""
        values = [f"{name} is {_shown(FIELDS[name].get(utterance))}" for name in self.fields if name in FIELDS]
        values += ["its tags are " + (", ".join(utterance.tags) or "none")] if "tag" in self.fields else []
        return f"{self.text} does not hold" + (f": {', '.join(values)}" if values else "")


@dataclass(frozen=True)
class Expression:
    """A condition on utterances.

    Attributes:
        text: as the person wrote it.
        parts: the conditions that have to hold, all of them.
        tags: the tag names that it asks for as ``tag.NAME``.
    """

    text: str
    parts: tuple[Part, ...]
    tags: tuple[str, ...] = ()

    def holds(self, utterance: Utterance) -> bool:
        """Whether it holds for an utterance."""
        return self.failing(utterance) is None

    def failing(self, utterance: Utterance) -> Part | None:
        """The first part that does not hold; None if all do."""
        for part in self.parts:
            if not part.holds(utterance):
                return part
        return None

    def check_tags(self, utterances: Iterable[Utterance]) -> None:
        """See that every ``tag.NAME`` is a tag of some utterance.

        Raises:
            ParlureError: one is not: a misspelt name would leave everything out.
        """
        if not self.tags:
            return
        known = {name for utterance in utterances for name in tag_names(utterance.tags)}
        for name in self.tags:
            if name not in known:
                close = get_close_matches(name, known, n=1)
                listed = (
                    f"the tags are {', '.join(sorted(known)[:20])}" if known else "no tag is of the form name=value"
                )
                raise ParlureError(
                    f"no utterance has a tag {name}=…", f"did you mean tag.{close[0]}" if close else listed
                )


def parse_expression(text: str) -> Expression:
    """Read and check an expression; it can then be asked of any utterance.

    Raises:
        ParlureError: it is none, speaks of something unknown, or compares what cannot be compared; the message has the
            column, from 1.
    """
    line = text.replace("\r", " ").replace("\n", " ").strip()
    try:
        return _parsed(line)
    except ExpressionError as error:
        raise ParlureError(f"column {error.column} of the expression: {error.message}", error.hint) from error
    except (RecursionError, MemoryError) as error:
        raise ParlureError("the expression is nested too deeply", _EXAMPLE) from error


def _parsed(line: str) -> Expression:
    if not line:
        raise ParlureError("the expression is empty", _EXAMPLE)
    if len(line) > _MAX_CHARS:
        raise ParlureError(
            f"the expression has {len(line)} characters, more than {_MAX_CHARS}",
            "mark the utterances with a tag, and ask for the tag",
        )
    tree = _tree(line)
    compiler = Compiler(line)
    conditions = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    parts = []
    for node in conditions:
        compiler.fields.clear()
        holds = compiler.condition(node)
        parts.append(Part(_written(line, node), tuple(dict.fromkeys(compiler.fields)), holds))
    return Expression(line, tuple(parts), tuple(dict.fromkeys(compiler.tags)))


def _tree(line: str) -> ast.expr:
    """Python's tree of the expression, ``matches`` as an ``@``; columns are those of the line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\\d" in a regular expression is what it looks like here
            return ast.parse(_with_operators(line), mode="eval").body
    except (SyntaxError, tokenize.TokenError) as error:
        raise _misread(line, error) from error
    except ValueError as error:  # a null character
        raise ExpressionError(1, "it cannot be read from here", _EXAMPLE) from error


def _with_operators(line: str) -> str:
    """The line with every word ``matches`` outside quotes replaced by an operator of Python's, nothing else moved."""
    parts, reached = [], 0
    for token in tokenize.generate_tokens(io.StringIO(line).readline):
        column = token.start[1]
        if token.type == tokenize.OP and token.string.startswith("@"):
            raise ExpressionError(column + 1, "@ has no meaning here", _EXAMPLE)
        if token.type == tokenize.NAME and token.string == "matches":
            parts += [line[reached:column], _STAND_IN]
            reached = column + len(_STAND_IN)
    return "".join([*parts, line[reached:]])


def _misread(line: str, error: SyntaxError | tokenize.TokenError) -> ExpressionError:
    """What Python's parser could not read, and the slip that is most likely behind it."""
    column = (isinstance(error, SyntaxError) and error.offset) or len(line)
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", lambda quoted: "_" * len(quoted[0]), line)
    single = re.search(r"(?<![=!<>:])=(?!=)", bare)
    if single:
        return ExpressionError(single.start() + 1, "a single = compares nothing", "write ==")
    if re.search(r"\bnot\s+matches\b", bare):
        return ExpressionError(column, "not stands in the wrong place", 'write: not text matches "xxx"')
    if "&" in bare or "|" in bare:
        return ExpressionError(column, "it cannot be read", "conditions are joined by and, or, not")
    return ExpressionError(min(column, len(line)), "it cannot be read from here", _EXAMPLE)


def _written(line: str, node: ast.expr) -> str:
    raw = line.encode()
    return raw[node.col_offset : node.end_col_offset].decode(errors="replace").strip()


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "empty"
    return repr(value) if isinstance(value, str) else str(value)
