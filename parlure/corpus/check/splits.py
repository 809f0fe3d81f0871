"""Speakers, sessions, recordings and times → what is on two sides; and whether the sides are large enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from parlure.corpus.check.findings import Ledger
from parlure.corpus.manifest import SPLITS, Utterance

_SIDES: dict[str, Callable[[Utterance], str | None]] = {
    "speaker_leak": lambda one: one.speaker,
    "session_leak": lambda one: one.session,
    "recording_leak": lambda one: one.recording,
}


def check_splits(ledger: Ledger, *, group_by: Collection[str] | None) -> None:
    """Leaks and sizes.

    Args:
        ledger: takes what is found.
        group_by: what the person had the split keep apart, as corpus.json says it; None is not known.
    """
    if group_by is not None:  # who allowed it knows
        for key, codes in (("speaker", ("speaker_leak",)), ("session", ("session_leak", "recording_leak"))):
            if key not in group_by:
                for code in codes:
                    ledger.soften(code, "warning")
    for code, side in _SIDES.items():
        if ledger.runs(code):
            _check_leak(ledger, code, side)
    if ledger.runs("overlap_leak", "overlapping_spans"):
        _check_overlaps(ledger)
    _check_sizes(ledger)


def listed(splits: Collection[str]) -> str:
    """``train and test``, in the splits' order."""
    return " and ".join(split for split in SPLITS if split in splits)


def _check_leak(ledger: Ledger, code: str, side: Callable[[Utterance], str | None]) -> None:
    """Names in two splits; the utterances of dev and test are what suffers."""
    splits_of: dict[str, set[str]] = defaultdict(set)
    for utterance in ledger.utterances:
        if (name := side(utterance)) is not None:
            splits_of[name].add(utterance.split)
    leaking = {name: splits for name, splits in splits_of.items() if len(splits) > 1}
    if not leaking:
        return
    for index, utterance in enumerate(ledger.utterances):
        splits = leaking.get(side(utterance) or "")
        if splits and utterance.split != next(split for split in SPLITS if split in splits):
            name = "the recording" if code == "recording_leak" else side(utterance)
            ledger.add(code, index, f"{name} is in {listed(splits)}")


def _check_overlaps(ledger: Ledger) -> None:
    """Of every utterance the worst overlap with an earlier one of its recording.

    Only those that reach furthest and began last are looked at, so that spans which all overlap take no longer.
    """
    by_recording: dict[str, list[int]] = defaultdict(list)
    for index, utterance in enumerate(ledger.utterances):
        by_recording[utterance.recording].append(index)
    for indices in by_recording.values():
        furthest: dict[tuple[str, int | None, str | None], int] = {}
        latest: dict[tuple[str, int | None, str | None], int] = {}
        for index in sorted(indices, key=lambda i: ledger.utterances[i].start):
            other = ledger.utterances[index]
            _check_one(ledger, index, {*furthest.values(), *latest.values()})
            key = other.split, other.channel, other.speaker
            latest[key] = index
            if key not in furthest or ledger.utterances[furthest[key]].end < other.end:
                furthest[key] = index


def _check_one(ledger: Ledger, second: int, earlier: Iterable[int]) -> None:
    """An utterance against those of its recording that begin no later."""
    other, worst = ledger.utterances[second], {"overlap_leak": (0.0, ""), "overlapping_spans": (0.0, "")}
    for first in sorted(earlier):
        one = ledger.utterances[first]
        shared_s = min(one.end, other.end) - other.start
        if shared_s <= 0 or (None not in (one.channel, other.channel) and one.channel != other.channel):
            continue
        if one.split != other.split:
            code, is_much = "overlap_leak", shared_s > ledger.threshold("overlap_leak")
        else:
            share = shared_s / min(one.duration_s, other.duration_s)
            is_much = one.speaker == other.speaker and share > ledger.threshold("overlapping_spans")
            code = "overlapping_spans"
        if is_much and shared_s > worst[code][0]:
            worst[code] = shared_s, f"{shared_s:.2f} s of {one.id} ({one.split})"
    for code, (shared_s, value) in worst.items():
        if value:
            ledger.add(code, second, value, shared_s)


def _check_sizes(ledger: Ledger) -> None:
    seconds: dict[str, float] = defaultdict(float)
    words, n_of = dict.fromkeys(SPLITS, 0), dict.fromkeys(SPLITS, 0)
    for index, one in enumerate(ledger.utterances):
        n_of[one.split] += 1
        words[one.split] += len(one.text.split())
        if one.speaker is None:
            ledger.add("unknown_speaker", index, "")
        else:
            seconds[one.speaker] += one.duration_s
    total_s = sum(one.duration_s for one in ledger.utterances)
    for name, spoken_s in seconds.items():
        if spoken_s > ledger.threshold("dominant_speaker") * total_s:
            ledger.add("dominant_speaker", None, f"{name} has {spoken_s / total_s:.0%} of the hours", spoken_s)
    n_speakers = len({one.speaker for one in ledger.utterances if one.split == "test"} - {None})
    if n_of["test"] and n_speakers < ledger.threshold("few_test_speakers"):
        ledger.add("few_test_speakers", None, f"test has {n_speakers} speakers that are named")
    for split in SPLITS:
        if not n_of[split]:
            ledger.add("missing_split", None, f"{split} has no utterance")
        elif split != "train" and words[split] < ledger.threshold("few_words"):
            ledger.add("few_words", None, f"{split} has {words[split]} words")
