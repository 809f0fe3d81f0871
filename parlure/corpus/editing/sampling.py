"""A corpus → a part of it, drawn with a seed, in which every split keeps its share.

1. The units (utterances, or all utterances of a session or a speaker within a split) of each split are put in an order
   drawn by hashing the seed with what names them, so that it does not depend on the order of the rows.
2. A unit's place is the middle of what it takes up of its split, from 0 to 1. All splits' units are put in the order
   of their places, and taken from the beginning until there is enough.

So a split is met to within a unit, and with the same seed a larger sample holds a smaller one (a learning curve of 1, 5
and 10 hours is one of more data, not of other data).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from parlure.corpus.editing.edited import Edit, EditSummary, check_new_folder, left_out, write_edit
from parlure.corpus.manifest import SPLITS, Corpus, Utterance
from parlure.errors import ParlureError

UNITS = ("utterance", "session", "speaker")


@dataclass(frozen=True)
class _Unit:
    """What is taken whole: places of its utterances in the corpus, and how much that is."""

    positions: tuple[int, ...]
    size: float


def sample_corpus(
    folder: str | Path,
    out: str | Path,
    *,
    hours: float | None = None,
    count: int | None = None,
    by: str = "utterance",
    split: str | None = None,
    seed: int = 1,
) -> EditSummary:
    """Draw as many hours, or as many utterances.

    Args:
        folder: the corpus.
        out: the new one.
        hours: how much to take, as nearly as whole units allow.
        count: how many utterances, instead of hours.
        by: ``utterance``, ``session`` or ``speaker``: what is taken whole.
        split: draw from this split alone, and keep the others whole; None draws from all in proportion.
        seed: another seed draws other utterances.

    Raises:
        ParlureError: options that make no sense, more than there is, a bad folder or corpus.
    """
    folder, out = Path(folder), Path(out)
    wanted, measure = _wanted(hours, count)
    if by not in UNITS:
        raise ParlureError(f"a sample cannot be drawn by {by}", f"--by {'|'.join(UNITS)}")
    if split is not None and split not in SPLITS:
        raise ParlureError(f"there is no split {split}", f"the splits are {', '.join(SPLITS)}")
    check_new_folder(out, [folder])
    corpus = Corpus.load(folder)
    sizes = [u.duration_s / 3600 if measure == "hours" else 1.0 for u in corpus.utterances]
    drawn_from = [i for i, u in enumerate(corpus.utterances) if split in (None, u.split)]
    _check_enough(wanted, measure, sum(sizes[i] for i in drawn_from), split)
    units = _units(corpus.utterances, drawn_from, sizes, by, seed)
    taken = _taken(units, wanted) | (set(range(len(corpus.utterances))) - set(drawn_from))
    kept = [utterance for i, utterance in enumerate(corpus.utterances) if i in taken]
    sentence = f"not drawn with seed {seed}"
    others = [left_out(corpus, i, "not_sampled", sentence) for i in range(len(corpus.utterances)) if i not in taken]
    arguments = {measure: wanted if measure == "hours" else count, "by": by, "split": split, "seed": seed}
    got = sum(sizes[i] for i in drawn_from if i in taken)
    notes = [f"{got:.4g} {measure} drawn of the {wanted:g} asked for: {by}s are taken whole"] if got != wanted else []
    return write_edit(Edit("sample", arguments, [corpus], kept, others, notes if by != "utterance" else []), out)


def _wanted(hours: float | None, count: int | None) -> tuple[float, str]:
    if (hours is None) == (count is None):
        raise ParlureError("a sample is of so many hours or of so many utterances", "--hours 10, or --count 1000")
    wanted, measure = (hours, "hours") if hours is not None else (float(count or 0), "utterances")
    if not 0 < wanted < float("inf"):
        raise ParlureError(f"a sample of {wanted:g} {measure} is none", "--hours 10, or --count 1000")
    return wanted, measure


def _check_enough(wanted: float, measure: str, available: float, split: str | None) -> None:
    if wanted > available + 1e-9:
        where = f"the split {split}" if split else "the corpus"
        raise ParlureError(
            f"{where} holds {available:.4g} {measure}, fewer than {wanted:g}", "ask for less, or merge it with another"
        )


def _units(
    utterances: Sequence[Utterance], positions: Sequence[int], sizes: Sequence[float], by: str, seed: int
) -> Mapping[str, list[_Unit]]:
    """The units of each split, in the order drawn. An utterance without a speaker or session is one by itself."""
    members: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for i in positions:
        name = getattr(utterances[i], by) if by != "utterance" else None
        kind, name = ("utterance", utterances[i].id) if name is None else (by, name)
        members[utterances[i].split, kind, name].append(i)
    units: dict[str, list[tuple[str, _Unit]]] = defaultdict(list)
    for (split, kind, name), found in members.items():
        drawn = hashlib.sha256(f"{seed}\n{kind}\n{name}".encode()).hexdigest()
        units[split].append((drawn, _Unit(tuple(found), sum(sorted(sizes[i] for i in found)))))
    return {split: [unit for _, unit in sorted(units[split], key=lambda pair: pair[0])] for split in sorted(units)}


def _taken(units: Mapping[str, list[_Unit]], wanted: float) -> set[int]:
    """Positions of the utterances taken: units by their place until there is enough, the last if that is nearer."""
    line: list[tuple[float, str, int]] = []
    for split, of_split in units.items():
        total, before = sum(unit.size for unit in of_split), 0.0
        for index, unit in enumerate(of_split):
            line.append(((before + unit.size / 2) / total, split, index))
            before += unit.size
    taken: set[int] = set()
    got = 0.0
    for _, split, index in sorted(line):
        unit = units[split][index]
        if got + unit.size - wanted > wanted - got + 1e-9 and taken:
            break
        taken.update(unit.positions)
        got += unit.size
        if got >= wanted - 1e-9:
            break
    return taken
