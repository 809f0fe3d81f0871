"""Where a name stands, and what ``corpus.json`` may still say of a corpus whose names are to go."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from parlure.corpus.manifest import Corpus

_NAME_CHARS = 3
_WORD = re.compile(r"[^\W_]+")


def plain_words(text: str) -> list[str]:
    """The words of a text or a name, so that ``Marie_Tremblay`` and ``marie-tremblay-001`` have them in common."""
    return _WORD.findall(unicodedata.normalize("NFC", text).casefold())


def mentions(values: Iterable[str], names: Collection[str]) -> set[str]:
    """The values in which one of the names stands, as whole words in a row, whatever is between them.

    ``marie-tremblay-001`` mentions ``Marie Tremblay``; ``lac42`` does not mention ``lac``.
    """
    wanted = {tuple(words) for name in names if (words := plain_words(name))}
    lengths = {len(words) for words in wanted}
    return {value for value in values if _holds(plain_words(value), wanted, lengths)}


def _holds(words: list[str], wanted: set[tuple[str, ...]], lengths: set[int]) -> bool:
    return any(tuple(words[i : i + n]) in wanted for n in lengths for i in range(len(words) - n + 1))


def words_of(names: Collection[str]) -> set[str]:
    """The words of names, but the shortest: a file may be called after a surname alone."""
    return {word for name in names for word in plain_words(name) if len(word) >= _NAME_CHARS}


def n_mentions(values: Sequence[str], names: Collection[str]) -> int:
    """How many values mention a name. One or two characters (A, 1) stand in every text, and there they are no name."""
    found = mentions(values, [name for name in names if len(name) >= _NAME_CHARS])
    return sum(value in found for value in values)


def without_traces(corpus: Corpus, names: Collection[str]) -> dict[str, Any]:
    """What is said of the corpora and edits before, without sentences, arguments and paths that may hold a name.

    Returns:
        ``earlier_edits`` and ``sources`` for ``corpus.json``.
    """
    info = corpus.info
    edits = [*info.get("earlier_edits", ()), *([info["edit"]] if info.get("edit") else [])]
    return {
        "earlier_edits": [_bare_edit(edit) for edit in edits],
        "sources": [_bare_source(source, names) for source in info.get("sources", ())],
    }


def _bare_edit(edit: dict[str, Any]) -> dict[str, Any]:
    """Operation and counts: the arguments may be ``speaker == "marie"``."""
    inputs = [{key: value for key, value in one.items() if key != "path"} for one in edit.get("inputs", ())]
    kept = {key: value for key, value in edit.items() if key in ("operation", "before", "after")}
    return {**kept, "inputs": inputs, "arguments": "left out: they may hold names"}


def _bare_source(source: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """A source, its path and its files left out where they hold a word of a name."""
    texts = [value for value in source.values() if isinstance(value, str)] + list(source.get("shards", ()))
    if not mentions(texts, words_of(names)):
        return source
    return {key: value for key, value in source.items() if key in ("sha256", "sha256_of", "revision")}
