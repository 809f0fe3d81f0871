"""Utterances as two systems heard them → what is said of a part of the comparison, all of it from ``parity.json``.

A part is one way to listen: on the same features or as each runtime prepares its own, in 30 s or in short windows,
with or without phrase times. An utterance's line is as the file holds it::

    {"id", "speaker", "session", "duration_s", "language", "reference",
     "parts": {PART: {"texts": [original, exported], "tokens": [ids, ids], "phrases": [[[start, end], …], …] or null}}}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from parlure.scoring.align import edit_counts
from parlure.scoring.normalize import headline_profile
from parlure.scoring.parity.tolerance import Tolerance
from parlure.scoring.rates import Counts
from parlure.scoring.significance import compare
from parlure.scoring.utterances import score_text

Features = Literal["same", "own"]
SYSTEMS = ("original", "exported")


@dataclass(frozen=True)
class Part:
    """One way to listen.

    Attributes:
        features: ``same``: both are given the same log-mels; ``own``: each runtime makes its own of the sound.
        window: ``full`` (30 s) or ``short``.
        timed: with phrase times; such a part says how far these move, and has no say in the verdict.
    """

    features: Features
    window: Literal["full", "short"] = "full"
    timed: bool = False

    @property
    def name(self) -> str:
        """For a person, and the key of its lines."""
        what = "the same features" if self.features == "same" else "the runtime's own features"
        return f"{what}, {'phrase times' if self.timed else '30 s' if self.window == 'full' else 'short windows'}"


def figures_of(part: Part, utterances: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What a part showed.

    Args:
        part: of the comparison.
        utterances: all lines; those that were not heard in this part are passed over.

    Returns:
        ``texts`` ``{"n", "n_same", "share"}`` in per cent; ``tokens`` ``{"n_same", "n_edits", "n_tokens", "share"}``,
        the share of tokens that no edit touches, of the longer of each two; ``original`` and ``exported``
        ``{"S", "D", "I", "N", "rate"}``; ``comparison``, whose difference is exported − original in points; ``drift``
        of a timed part, else None.
    """
    rows = [row for row in utterances if part.name in row["parts"]]
    heard = [row["parts"][part.name] for row in rows]
    counts = [[_counts(row, one["texts"][system]) for row, one in zip(rows, heard, strict=True)] for system in range(2)]
    comparison = compare(counts[0], counts[1], [row["speaker"] for row in rows], [row["session"] for row in rows])
    n_same = sum(one["texts"][0] == one["texts"][1] for one in heard)
    return {
        "texts": {"n": len(rows), "n_same": n_same, "share": _share(n_same, len(rows))},
        "tokens": _tokens([one["tokens"] for one in heard]),
        **{name: _rate(Counts.total(own)) for name, own in zip(SYSTEMS, counts, strict=True)},
        "comparison": {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(comparison).items()
        },
        "drift": _drift([one["phrases"] for one in heard]) if part.timed else None,
    }


def judge(part: Part, figures: Mapping[str, Any], tolerance: Tolerance) -> tuple[bool | None, str]:
    """Whether a part passes, and by what; None where it has no say.

    All texts the same is always enough. Without an interval, which takes six independent speakers or calls, a loss of
    WER can be neither shown nor excluded: where texts differ that does not pass.
    """
    if part.timed:
        return None, "times are told, not judged"
    texts, interval = figures["texts"], figures["comparison"]["ci95"]
    if texts["n_same"] == texts["n"]:
        return True, "all texts are the same"
    if interval is not None and interval[1] > tolerance.max_loss:
        return False, f"up to {interval[1]:.1f} points of WER may be lost, > {tolerance.max_loss:g}"
    if part.features == "same" and tolerance.min_same is not None:
        enough = texts["share"] >= tolerance.min_same
        sign = "≥" if enough else "<"
        return enough, f"{texts['share']:.1f} % of texts are the same, {sign} {tolerance.min_same:g} %"
    if interval is None:
        return False, "too few independent speakers to tell what is lost"
    return True, f"at most {max(interval[1], 0.0):.1f} points of WER are lost, ≤ {tolerance.max_loss:g}"


def _counts(row: Mapping[str, Any], text: str) -> Counts:
    return score_text(headline_profile(row["language"]), row["reference"], text).words


def _rate(counts: Counts) -> dict[str, Any]:
    return {"S": counts.S, "D": counts.D, "I": counts.I, "N": counts.N, "rate": counts.rate}


def _share(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 100.0


def _tokens(pairs: Sequence[Sequence[Sequence[int]]]) -> dict[str, Any]:
    n_edits = sum(sum(edit_counts(list(map(str, one)), list(map(str, other)))) for one, other in pairs)
    n_tokens = sum(max(len(one), len(other)) for one, other in pairs)
    n_same = sum(list(one) == list(other) for one, other in pairs)
    return {"n_same": n_same, "n_edits": n_edits, "n_tokens": n_tokens, "share": _share(n_tokens - n_edits, n_tokens)}


def _drift(pairs: Sequence[Sequence[Sequence[Sequence[float]]]]) -> dict[str, Any]:
    """How far phrase boundaries move, where both systems have as many phrases; ``n_other``: utterances where not."""
    alike = [(one, other) for one, other in pairs if len(one) == len(other)]
    moved = [
        abs(here - there)
        for one, other in alike
        for phrase, its in zip(one, other, strict=True)
        for here, there in zip(phrase, its, strict=True)
    ]
    median_s, p95_s = (float(np.percentile(moved, q)) for q in (50, 95)) if moved else (None, None)
    n_other = len(pairs) - len(alike)
    return {"n_boundaries": len(moved), "median_s": median_s, "p95_s": p95_s, "n_other": n_other}
