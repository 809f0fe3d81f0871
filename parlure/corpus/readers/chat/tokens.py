"""The line of an utterance → its tokens, and the tree of groups with the codes that say something about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from parlure.corpus.readers.chat.refusal import malformed

_ENDING = r"\+(?:\.\.\.|\.\.\?|!\?|//[.?]|/[.?]|\"/\.|\"\.|\.)"
_TOKEN = re.compile(
    rf"""
    \x15(?P<bullet>[^\x15]*)\x15
    | \[(?P<code>[^\[\]]*)\]
    | (?P<pause>\((?:\.{{1,3}}|\d[\d:]*\.?\d*)\)(?![\w(]) | \#+(?:\d[\d_:.]*)?(?=[\s>\[]|$))
    | (?P<ending>{_ENDING})
    | (?P<linker>\+[,"^<+≋≈])
    | (?P<breath>[∙·.°]h+(?![\w:]) | h{{2,}}(?![\w:]))
    | (?P<open><) | (?P<close>>)
    | (?P<quote>[“”"«»])
    | (?P<satellite>[‡„])
    | (?P<separator>[.!?…]+ | [,;] | :(?=[\s>\[]|$))
    # a comma or a question mark ends a word, but 3,5 is one
    | (?P<word>(?:[^\s\x15\[\]<>“”"«»‡„,;!?…] | (?<=\d),(?=\d))+)
    | (?P<odd>\S)
    """,
    re.VERBOSE,
)
# where no space was left before the end: oui. oui+...
_GLUED_END = re.compile(rf"(?P<word>.*?[^.+])(?P<end>{_ENDING}|\.+)$")
_OVERLAP = re.compile(r"[⌈⌉⌊⌋](?:[2-9](?!\d))?")  # a number tells several overlaps in one utterance apart
_GROUP_SIGNS = str.maketrans("", "", "‹›〔〕")  # groups for phonology and sign: nothing is said of their words
# codes that are about the word or the group in front of them, and make no sense without one
_NEEDS_WORD = re.compile(r"/{1,3}|/-|/\?|::? .*|=\? ?.*|x ?\d+|\?")


class Token(NamedTuple):
    """A piece of the line: ``kind`` is a group of the pattern; ``glued``: there was no space before it."""

    kind: str
    text: str
    glued: bool = False


@dataclass
class Item:
    """A token, or a group ``<…>`` of items; with the codes that stand behind it, without their brackets."""

    kind: str
    text: str = ""
    glued: bool = False
    inside: list[Item] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)


@dataclass
class Tree:
    """An utterance; ``codes`` are those about the whole, ``overlap`` says whether it is marked as talked over."""

    items: list[Item]
    codes: list[str]
    overlap: bool


def parse_utterance(line: str) -> Tree:
    """The tree of an utterance.

    Raises:
        RefusalError: brackets or bullets that are never closed, or a code without a word.
    """
    bare = _OVERLAP.sub("", line)
    root: list[Item] = []
    about: list[str] = []
    levels = [root]
    for token in tokens(bare.translate(_GROUP_SIGNS)):
        if token.kind == "odd":
            raise malformed(_ODD[token.text])
        if token.kind == "open":
            levels[-1].append(Item("group"))
            levels.append(levels[-1][-1].inside)
        elif token.kind == "close":
            if len(levels) == 1:
                raise malformed("a > closes nothing")
            levels.pop()
        elif token.kind == "code":
            _attach(token.text.strip(), levels[-1], about)
        else:
            levels[-1].append(Item(*token))
    if len(levels) > 1:
        raise malformed("a < is never closed")
    marked = bare != line or any(item.kind == "linker" and item.text == "+<" for item in root)
    return Tree(root, about, marked or _is_overlapped(root))


_ODD = {
    "[": "a [ is never closed",
    "]": "a ] closes nothing",
    "\x15": "a time mark is never closed",
}


def tokens(line: str) -> Iterator[Token]:
    """The tokens of a line, in order."""
    for match in _TOKEN.finditer(line):
        kind = str(match.lastgroup)
        glued = match.start() > 0 and not line[match.start() - 1].isspace()
        found = _GLUED_END.fullmatch(match[kind]) if kind == "word" else None
        if found is None:
            yield Token(kind, match[kind], glued)
            continue
        yield Token("word", found["word"], glued)
        yield Token("ending" if found["end"].startswith("+") else "separator", found["end"], True)


def _attach(code: str, items: list[Item], about: list[str]) -> None:
    """Give a code to the word or group in front of it; one that has none is about the utterance."""
    target = next((item for item in reversed(items) if item.kind in ("word", "group")), None)
    if target is not None and not code.startswith(("+ ", "- ")):
        target.codes.append(code)
    elif _NEEDS_WORD.fullmatch(code):
        raise malformed(f"[{code}] stands behind no word")
    else:
        about.append(code)


def _is_overlapped(items: list[Item]) -> bool:
    return any(
        any(re.fullmatch(r"[<>] ?\d*", code) for code in item.codes) or _is_overlapped(item.inside) for item in items
    )
