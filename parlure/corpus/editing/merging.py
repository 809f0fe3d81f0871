"""Several corpora → one, in which no name stands for two things and no speaker or session is on two sides.

Names: an utterance that is in two corpora, with the same recording, span, channel and text, is kept once. An id that
two different utterances have gets the name of its corpus in front (``clinic-0001``), in every corpus that has it. A
speaker or session that two corpora name is the same one if both name it in the same recording; otherwise nobody knows,
and it gets the name of its corpus in front too (``clinic/A``), unless ``same_names`` says that it is the same.

Splits are kept, and what no two splits may share is checked again over the whole; ``ratios`` divides the whole anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from parlure.corpus.agents import Member
from parlure.corpus.editing.edited import Edit, EditSummary, check_new_folder, left_out, write_edit
from parlure.corpus.manifest import MANIFEST, Corpus, Segment, Utterance
from parlure.corpus.naming import safe_name
from parlure.corpus.pseudo import refuse_dividing, refuse_leaks
from parlure.corpus.readers.row import Rejected
from parlure.corpus.split import GROUP_KEYS, NO_GROUPS, assign_splits, check_given_splits, check_options
from parlure.errors import ParlureError

_SHOWN = 5  # names in one sentence
_SEPARATORS = {"id": "-", "speaker": "/", "session": "/"}


def merge_corpora(
    folders: Sequence[str | Path],
    out: str | Path,
    *,
    same_names: bool = False,
    group_by: Collection[str] | None = None,
    ratios: Sequence[float] | None = None,
    seed: int = 1,
) -> EditSummary:
    """Put corpora together.

    Args:
        folders: two corpora or more.
        out: the new one.
        same_names: whether a speaker or session that two corpora name is the same one.
        group_by: what no two splits may share; None is what all corpora were divided by.
        ratios: divide the whole anew, in these shares of train, dev and test; None keeps the splits.
        seed: of the new division.

    Raises:
        ParlureError: fewer than two corpora, a bad one, splits that share a speaker or session once merged, or
            pseudo-labels that would not stay in train or are of recordings in dev or test.
    """
    places, out = [Path(folder) for folder in folders], Path(out)
    if len({place.resolve() for place in places}) < 2:
        raise ParlureError("a merge is of two corpora or more", "parlure corpus merge CALLS CLINIC --out BOTH")
    check_options(ratios or (1, 0, 0), group_by or NO_GROUPS)
    check_new_folder(out, places)
    corpora = [Corpus.load(place) for place in places]
    keys = _common_keys(corpora) if group_by is None else tuple(group_by)
    merged = _put_together(_named(corpora), same_names)
    kept, division = _divided(merged.kept, keys, ratios, seed)
    refuse_leaks(kept)
    facts = {"split": division.how, "licence": _licence(corpora)}
    arguments = {
        "same_names": same_names,
        "group_by": list(keys),
        "ratios": list(ratios) if ratios else None,
        "seed": seed,
    }
    notes = [*merged.notes, *division.notes, *_licence_notes(corpora)]
    return write_edit(Edit("merge", arguments, corpora, kept, merged.left_out, notes, facts), out)


@dataclass
class _Merged:
    kept: list[Utterance] = field(default_factory=list)
    left_out: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Division:
    how: dict[str, Any]
    notes: Sequence[str] = ()


def _named(corpora: Sequence[Corpus]) -> dict[str, Corpus]:
    """The corpora by their folders' names, numbered where two have the same."""
    named: dict[str, Corpus] = {}
    for corpus in corpora:
        name = stem = safe_name(corpus.folder.resolve().name)
        number = 1
        while name in named:
            number += 1
            name = f"{stem}-{number}"
        named[name] = corpus
    return named


def _put_together(corpora: Mapping[str, Corpus], same_names: bool) -> _Merged:
    merged = _Merged()
    unique = _without_duplicates(corpora, merged)
    clashes = {"id": _repeated([u.id for us in unique.values() for u in us])}
    # of all their utterances: one that is in two corpora, and is kept once, shows that a name is one person's
    every = {name: corpus.utterances for name, corpus in corpora.items()}
    for kind in GROUP_KEYS:
        clashes[kind] = set() if same_names else _strangers(every, kind)
    taken = Counter(u.id for us in unique.values() for u in us)
    for name, utterances in unique.items():
        for utterance in utterances:
            merged.kept.append(_renamed(utterance, name, clashes, taken))
    merged.notes += [_clash_note(kind, names) for kind, names in clashes.items() if names]
    return merged


def _without_duplicates(corpora: Mapping[str, Corpus], merged: _Merged) -> dict[str, list[Utterance]]:
    """The utterances of each corpus that no corpus before it has."""
    seen: dict[tuple[Any, ...], str] = {}
    unique: dict[str, list[Utterance]] = {}
    for name, corpus in corpora.items():
        unique[name] = []
        own = {}
        for position, utterance in enumerate(corpus.utterances):
            key = _content(utterance)
            if key in seen:
                sentence = f"the same recording, span, channel and text is already in {seen[key]}"
                merged.left_out.append(left_out(corpus, position, "duplicate", sentence))
            else:
                own[key] = f"{corpus.folder / MANIFEST} line {position + 1}"
                unique[name].append(utterance)
        seen = {**own, **seen}
    return unique


def _content(utterance: Utterance) -> tuple[Any, ...]:
    recording = str(Path(utterance.recording).resolve()) if ".." in utterance.recording else utterance.recording
    return (recording, utterance.start, utterance.end, utterance.channel, utterance.task, utterance.text)


def _repeated(names: Iterable[str]) -> set[str]:
    return {name for name, n in Counter(names).items() if n > 1}


def _strangers(every: Mapping[str, Sequence[Utterance]], kind: str) -> set[str]:
    """Names of speakers or sessions that several corpora have, not all of them in a recording in common."""
    where: dict[str, list[set[str]]] = defaultdict(list)
    for utterances in every.values():
        recordings: dict[str, set[str]] = defaultdict(set)
        for utterance in utterances:
            for name in _names(utterance, kind):
                recordings[name].add(utterance.recording)
        for name, found in recordings.items():
            where[name].append(found)
    return {
        name for name, found in where.items() if len(found) > 1 and not all(found[0] & other for other in found[1:])
    }


def _names(utterance: Utterance, kind: str) -> set[str]:
    """The speakers of an utterance, or its session; those of its phrases are speakers too."""
    names = {getattr(utterance, kind)}
    if kind == "speaker":
        names |= {segment.speaker for segment in utterance.segments or ()}
    return names - {None}


def _renamed(utterance: Utterance, corpus: str, clashes: Mapping[str, set[str]], taken: Counter[str]) -> Utterance:
    names: dict[str, Any] = {}
    for kind, clashing in clashes.items():
        value = getattr(utterance, kind)
        if value in clashing:
            names[kind] = f"{corpus}{_SEPARATORS[kind]}{value}"
    while names.get("id") in taken:  # another corpus may call one of its own clinic-0001
        names["id"] += "-2"
    if "id" in names:
        taken[names["id"]] += 1
    if utterance.segments is not None and any(one.speaker in clashes["speaker"] for one in utterance.segments):
        names["segments"] = tuple(_renamed_segment(one, corpus, clashes["speaker"]) for one in utterance.segments)
    return replace(utterance, **names) if names else utterance


def _renamed_segment(segment: Segment, corpus: str, clashing: set[str]) -> Segment:
    if segment.speaker not in clashing:
        return segment
    return segment._replace(speaker=f"{corpus}{_SEPARATORS['speaker']}{segment.speaker}")


def _clash_note(kind: str, names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    note = f"{len(names)} {kind}{'s' * (len(names) != 1)} of several corpora got the corpus' name in front: {shown}"
    return note if kind == "id" else f"{note}; if they are the same, say --same-names"


def _common_keys(corpora: Sequence[Corpus]) -> tuple[str, ...]:
    """What all corpora were divided by; nothing may be asked of the whole that one of its parts did not hold to."""
    keys = set(GROUP_KEYS)
    for corpus in corpora:
        keys &= set((corpus.info.get("split") or {}).get("group_by", GROUP_KEYS))
    return tuple(key for key in GROUP_KEYS if key in keys) or NO_GROUPS


def _divided(
    utterances: Sequence[Utterance], keys: tuple[str, ...], ratios: Sequence[float] | None, seed: int
) -> tuple[list[Utterance], _Division]:
    """The utterances in their own splits, checked, or in new ones."""
    members = [Member(u.id, u.duration_s, u.speaker, u.session or f"recording {u.recording}") for u in utterances]
    if ratios is not None:
        refuse_dividing(utterances)
        plan = assign_splits(members, ratios=ratios, group_by=keys, seed=seed)
        how = {
            "method": "groups",
            "n_groups": plan.n_groups,
            "seed": seed,
            "ratios": list(ratios),
            "group_by": list(keys),
        }
        return [replace(u, split=plan.split_of[u.id]) for u in utterances], _Division(how, plan.warnings)
    try:
        n_groups = check_given_splits(members, {u.id: u.split for u in utterances}, keys)
    except ParlureError as error:
        hint = error.hint.rpartition(" ")[2]
        raise ParlureError(
            f"once merged, {error.message}", f"divide anew: --ratios 0.8,0.1,0.1, or accept it: --group-by {hint}"
        ) from error
    return list(utterances), _Division({"method": "merged", "n_groups": n_groups, "group_by": list(keys)})


def _licence(corpora: Sequence[Corpus]) -> str | None:
    """The licences of all, each once, as ``corpus.json`` joins them."""
    stated = [part for c in corpora for part in (c.info.get("licence") or "").split(", ") if part]
    return ", ".join(dict.fromkeys(stated)) or None


def _licence_notes(corpora: Sequence[Corpus]) -> list[str]:
    silent = [str(corpus.folder) for corpus in corpora if not corpus.info.get("licence")]
    if not silent or len(silent) == len(corpora):
        return []
    return [f"no licence is known of {', '.join(silent)}: what is said of the whole is of the others alone"]
