"""A corpus → how much there is of what: hours, counts, durations and words, of the whole and of its parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from parlure.corpus.editing.fields import n_words
from parlure.corpus.manifest import SPLITS, Corpus, Utterance

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
PARTS = ("split", "language", "speaker", "session", "tag")
_SHOWN = 10  # rows of a table: speakers, sessions and tags may be many


def corpus_stats(folder: str | Path) -> dict[str, Any]:
    """Count a corpus.

    Args:
        folder: the corpus.

    Returns:
        ``{"corpus", "all": counts, "by_split": {NAME: counts}, "by_language", "by_speaker", "by_session", "by_tag"}``
        with counts as :func:`counted` gives them; what is not known is left out of the parts.

    Raises:
        ParlureError: a bad corpus.
    """
    corpus = Corpus.load(folder)
    stats: dict[str, Any] = {"corpus": str(folder), "all": counted(corpus.utterances)}
    for part in PARTS:
        groups = _parts(corpus.utterances, part)
        names = [name for name in SPLITS if name in groups] if part == "split" else sorted(groups)
        stats[f"by_{part}"] = {name: counted(groups[name]) for name in names}
    return stats


def counted(utterances: Sequence[Utterance]) -> dict[str, Any]:
    """Hours and counts of utterances.

    Returns:
        ``{"hours", "utterances", "words", "speakers", "sessions", "no_speech", "duration_s": {"min", "p5" … "max"}}``:
        ``words`` are pieces of the raw texts between spaces, ``no_speech`` utterances with an empty text.
    """
    durations = np.array([utterance.duration_s for utterance in utterances])
    quantiles = np.quantile(durations, QUANTILES).tolist() if len(durations) else [0.0] * len(QUANTILES)
    return {
        "hours": round(float(durations.sum()) / 3600, 6),
        "utterances": len(utterances),
        "words": sum(map(n_words, utterances)),
        "speakers": len({utterance.speaker for utterance in utterances} - {None}),
        "sessions": len({utterance.session for utterance in utterances} - {None}),
        "no_speech": sum(not utterance.text for utterance in utterances),
        "duration_s": {_quantile_name(q): round(value, 3) for q, value in zip(QUANTILES, quantiles, strict=True)},
    }


def stats_table(stats: Mapping[str, Any]) -> str:
    """The counts as text, a line a part; of speakers, sessions and tags the ten with most hours."""
    head = ("", "hours", "utterances", "words", "speakers", "sessions", "p5 s", "median s", "p95 s")
    lines = [("all", stats["all"])]
    tables = [_rows([head, *(_row(name, counts) for name, counts in lines)])]
    for part in PARTS:
        found = stats[f"by_{part}"]
        most = sorted(found.items(), key=lambda item: -item[1]["hours"]) if part != "split" else list(found.items())
        if not most:
            tables.append(f"{part}: not known of any utterance\n")
            continue
        rows = _rows([(part, *head[1:]), *(_row(name, counts) for name, counts in most[:_SHOWN])])
        more = f"and {len(most) - _SHOWN} more: --json has them all\n" if len(most) > _SHOWN else ""
        tables.append(rows + more)
    return "\n".join(tables)


def _parts(utterances: Iterable[Utterance], part: str) -> dict[str, list[Utterance]]:
    groups: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        names = dict.fromkeys(utterance.tags) if part == "tag" else (getattr(utterance, part),)
        for name in names:
            if name is not None:
                groups[name].append(utterance)
    return groups


def _quantile_name(q: float) -> str:
    return {0.0: "min", 0.5: "median", 1.0: "max"}.get(q, f"p{q * 100:.0f}")


def _row(name: str, counts: Mapping[str, Any]) -> tuple[str, ...]:
    whole = (f"{counts[key]:,}" for key in ("utterances", "words", "speakers", "sessions"))
    times = (f"{counts['duration_s'][key]:.2f}" for key in ("p5", "median", "p95"))
    return (name, f"{counts['hours']:.2f}", *whole, *times)


def _rows(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip() + "\n")
    return "".join(lines)
