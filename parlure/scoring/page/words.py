"""Which words: confusions of the last system, words gained and lost."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from parlure.scoring.page.marks import table
from parlure.scoring.utterances import ScoredUtterance
from parlure.scoring.words import Heard, confusions, gained_and_lost

_SHOWN = 12


def words_section(utterances: Sequence[ScoredUtterance], systems: Sequence[str], profile: str) -> str:
    """The commonest confusions and, of base and tuned, the words whose hits changed most; empty without an error."""
    parts = [_confusions(utterances, "tuned" if "tuned" in systems else systems[-1], profile)]
    if {"base", "tuned"} <= set(systems):
        gained, lost = gained_and_lost(utterances, profile, _SHOWN)
        parts += [_heard("Words gained", gained), _heard("Words lost", lost)]
    columns = "".join(f"<div>{part}</div>" for part in parts if part)
    return f'<h2 id="words">Which words</h2><div class="columns">{columns}</div>' if columns else ""


def _confusions(utterances: Sequence[ScoredUtterance], system: str, profile: str) -> str:
    found = confusions(utterances, profile, system)
    rows = []
    for (said, heard), times in sorted(found.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]:
        rows.append(
            f'<tr><th scope="row">{escape(said) or "<i>nothing</i>"}</th>'
            f'<td class="left">{escape(heard) or "<i>nothing</i>"}</td><td>{times}</td></tr>'
        )
    title = f"<h3>Commonest confusions of {escape(system)}</h3>"
    return title + table(["said", "heard", "times"], rows, 2) if rows else ""


def _heard(title: str, words: Sequence[Heard]) -> str:
    rows = [
        f'<tr><th scope="row">{escape(one.word)}</th><td>{one.base} → {one.tuned}</td><td>{one.n}</td></tr>'
        for one in words
    ]
    return f"<h3>{title}</h3>" + table(["word", "right", "said"], rows) if rows else ""
