"""Every utterance in one table that can be sorted, searched and opened: its markup and its data."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from parlure.scoring.align import align
from parlure.scoring.normalize import get_profile
from parlure.scoring.page.sound import audio_data_uri
from parlure.scoring.utterances import ScoredUtterance
from parlure.speech.audio import Samples

SOUND_BUDGET_S = 1200.0  # of clips in the table beside those of the cards: about 6 MB of MP3


def _steps(said: Sequence[str], heard: Sequence[str]) -> list[Any]:
    """An alignment as JSON: a word that is right, or ``[said or null, heard or null]``."""
    return [op.reference if op.kind == "equal" else [op.reference, op.hypothesis] for op in align(said, heard)]


def _row(utterance: ScoredUtterance, place: int, systems: Sequence[str], profile: str) -> dict[str, Any]:
    words = get_profile(profile).words
    said = words(utterance.reference)
    texts = [utterance.id, utterance.speaker or "", utterance.session or "", *utterance.tags, utterance.reference]
    texts += [utterance.hypotheses[system] for system in systems]
    return {
        "k": place,
        "i": utterance.id,
        "s": utterance.speaker or "",
        "d": utterance.duration_s,
        "n": len(said),
        "r": utterance.reference,
        "t": "\n".join(texts).lower(),
        "e": [utterance.counts[profile][system].words.edits for system in systems],
        "o": [_steps(said, words(utterance.hypotheses[system])) for system in systems],
    }


def _clips(rows: Sequence[dict[str, Any]], clip: Callable[[str], Samples], on_cards: frozenset[str]) -> dict[str, str]:
    """Id → sound of those with the most errors, as far as the budget goes, without what the cards hold already."""
    left_s, found = SOUND_BUDGET_S, {}
    for row in sorted(rows, key=lambda row: (-max(row["e"], default=0), row["k"])):
        if row["i"] not in on_cards and row["d"] is not None and row["d"] <= left_s:
            left_s -= row["d"]
            found[row["i"]] = audio_data_uri(clip(row["i"]))
    return found


def evidence_section(
    utterances: Sequence[ScoredUtterance],
    systems: Sequence[str],
    profile: str,
    clip: Callable[[str], Samples] | None,
    on_cards: frozenset[str],
) -> str:
    """The table; hidden until its script runs.

    Args:
        utterances: all that the error rates count.
        systems: in the order of their columns; with base and tuned, the change from one to the other is a column.
        profile: under which words are compared.
        clip: utterance id → samples; None for a page without sound.
        on_cards: ids whose player is on the page already.
    """
    if not utterances:
        return ""
    rows = [_row(one, place, systems, profile) for place, one in enumerate(utterances)]
    sounds = _clips(rows, clip, on_cards) if clip else {}
    for row in rows:
        if row["i"] in sounds:
            row["a"] = sounds[row["i"]]
    pair = (systems.index("base"), systems.index("tuned")) if {"base", "tuned"} <= set(systems) else None
    judged = pair[1] if pair else len(systems) - 1
    first = "change" if pair else judged
    data: dict[str, Any] = {
        "systems": list(systems),
        "pair": pair,
        "judged": judged,
        "sort": first,
        "sound": clip is not None,
    }
    data["rows"] = rows
    # "<" is the only character by which JSON could end its element
    packed = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    columns = [("i", "utterance"), ("s", "speaker"), ("d", "s"), ("n", "words")]
    columns += [(str(index), f"{name}: errors") for index, name in enumerate(systems)]
    columns += [("change", "change")] if pair else []
    heads = "".join(
        f'<th scope="col"{" class=left" if key in "is" else ""} '
        f'aria-sort="{"descending" if key == str(first) else "none"}">'
        f'<button type="button" data-key="{key}">{escape(name)}</button></th>'
        for key, name in columns
    )
    kinds = [("all", "all utterances"), ("wrong", f"with an error of {systems[judged]}")]
    kinds += [("better", "that got better"), ("worse", "that got worse")] if pair else []
    options = "".join(f'<option value="{key}">{escape(name)}</option>' for key, name in kinds)
    return (
        '<section id="evidence-section" hidden><h2 id="utterances">Every utterance</h2>'
        '<div class="filter" role="search"><label>Search <input id="evidence-search" '
        'type="search" placeholder="words, speaker, id"></label><label>Show <select id="evidence-which">'
        f'{options}</select></label><output id="evidence-count" aria-live="polite"></output></div>'
        f'<div class="scroll"><table id="evidence"><caption class="hidden">Every utterance with its errors; a click on '
        f"its name opens it</caption><thead><tr>{heads}</tr></thead><tbody></tbody></table></div>"
        '<button type="button" id="evidence-more" hidden>Show more</button></section>'
        f'<script type="application/json" id="evidence-data">{packed}</script>'
    )
