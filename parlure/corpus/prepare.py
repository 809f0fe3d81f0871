"""Sources (recordings and transcripts) → a corpus folder.

Only recordings that a source embeds are written while it is read. When every row has been examined and placed,
``manifest.jsonl`` and ``rejected.jsonl`` are written, and last ``corpus.json``. Each row read is in one of the first
two: used + rejected = read.
"""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from parlure.corpus.embedded import SHARDS
from parlure.corpus.examine import CHANNEL_POLICIES, EMPTY_TEXT_POLICIES, Examiner, Taken, language_code, place
from parlure.corpus.gather import Gathered, Progress, gather
from parlure.corpus.manifest import (
    INFO,
    SPLITS,
    TASKS,
    UNFINISHED,
    Utterance,
    begin_corpus,
    finish_corpus,
    refuse_foreign_folder,
    write_lines,
)
from parlure.corpus.naming import give_ids, recording_names
from parlure.corpus.readers.row import Columns, Rejected
from parlure.corpus.split import (
    DEFAULT_RATIOS,
    GROUP_KEYS,
    Member,
    SplitPlan,
    assign_splits,
    check_given_splits,
    given_split,
    qualify_speakers,
)
from parlure.errors import ParlureError
from parlure.exclusive import alone_in
from parlure.speech.audio import SAMPLE_RATE, read_audio, write_audio

MIN_TEST_SPEAKERS = 8  # fewer, and the interval of a difference over speakers is wider than most differences


@dataclass(frozen=True)
class PrepareSummary:
    """What became of the rows.

    Attributes:
        folder: the corpus.
        n_read: rows read; ``n_used + n_rejected``.
        n_used: utterances in the manifest.
        n_rejected: rows in ``rejected.jsonl``.
        rejected_by_reason: how many by reason code, most frequent first.
        utterances_by_split: how many in train, dev and test.
        hours_by_split: hours in train, dev and test.
        warnings: what a person should know before going on, one sentence each.
        gate_failed: ``strict`` was asked for and a row was rejected: the corpus was left without ``corpus.json``.
    """

    folder: Path
    n_read: int
    n_used: int
    n_rejected: int
    rejected_by_reason: dict[str, int]
    utterances_by_split: dict[str, int]
    hours_by_split: dict[str, float]
    warnings: tuple[str, ...]
    gate_failed: bool = False

    def lines(self) -> list[str]:
        """What a person reads when it is done."""
        reasons = ", ".join(f"{n} {reason}" for reason, n in self.rejected_by_reason.items())
        said = f", {self.n_rejected} rejected ({reasons}): rejected.jsonl says why" if reasons else ""
        shares = (f"{name} {n} in {self.hours_by_split[name]:.2f} h" for name, n in self.utterances_by_split.items())
        return [
            f"{self.n_used} of {self.n_read} rows used{said}",
            f"utterances: {', '.join(shares)}",
            *(f"warning: {warning}" for warning in self.warnings),
            *(["corpus.json was not written: --strict, and rows were rejected"] if self.gate_failed else []),
        ]


def prepare(
    sources: Sequence[str | Path],
    out: str | Path,
    *,
    reader: str | None = None,
    text: str | None = None,
    speaker: str | None = None,
    session: str | None = None,
    language: str | None = None,
    task: str = "transcribe",
    channels: str | None = None,
    empty_text: str = "reject",
    strict: bool = False,
    ratios: Sequence[float] = DEFAULT_RATIOS,
    group_by: Collection[str] = GROUP_KEYS,
    seed: int = 1,
    copy_audio: bool = False,
    local_speakers: bool | None = None,
    progress: Progress | None = None,
) -> PrepareSummary:
    """Make a corpus.

    Args:
        sources: manifests, folders, and data sets of parquet shards on disk or on the Hub (``hf://owner/name``).
        out: the corpus folder, new, empty, or a corpus to be made again.
        reader: a reader's name; None goes by each source's suffix.
        text, speaker, session: what the sources call these columns.
        language, task: for rows that name none.
        channels: ``first``, ``split`` or ``mix``, where channels differ and a row names none (see :class:`Examiner`).
        empty_text: ``reject``, or ``no-speech`` to take an empty text as silence.
        strict: whether a rejected row leaves the corpus not whole.
        ratios, group_by, seed: see :func:`assign_splits`; not used where the sources have a split of their own.
        copy_audio: write each span to ``audio/`` (16 kHz mono FLAC) instead of pointing to its recording.
        local_speakers: whether speaker names hold only within a session; None guesses and says so.
        progress: called with (rows examined, rows).

    Raises:
        ParlureError: what concerns all rows; single rows are rejected and listed instead.
    """
    out = Path(out)
    language = _checked_options(sources, language, task, channels, empty_text)
    columns = Columns(text=text, speaker=speaker, session=session)
    examiner = Examiner(language=language, task=task, channels=channels, empty_text=empty_text)
    refuse_foreign_folder(out)
    with alone_in(out):
        mended = _mended(out)
        gathered = gather(sources, columns, reader, examiner, out, progress)
        names = recording_names((one.row.audio for one in gathered.taken), out)
        by_id, duplicates = give_ids(gathered.taken, names)
        if not by_id:
            raise _nothing_left(gathered.rejected)
        placed = _place(by_id, names, local_speakers, ratios, group_by, seed)
        placed = replace(placed, warnings=(*mended, *placed.warnings))
        gathered.rejected += duplicates
        return _write(out, gathered, placed, copy_audio=copy_audio, strict=strict)


@dataclass(frozen=True)
class _Placed:
    """The utterances with their splits, how they were split, and what to say of it."""

    utterances: list[Utterance]
    split: dict[str, Any]
    warnings: tuple[str, ...]


def _checked_options(
    sources: Sequence[str | Path], language: str | None, task: str, channels: str | None, empty_text: str
) -> str | None:
    """The language as a code, once every option is known to make sense."""
    if isinstance(sources, (str, Path)) or not sources:
        raise ParlureError("prepare needs a list of sources", "parlure prepare calls.csv --out corpus --language fr")
    for flag, value, known in (
        ("--task", task, TASKS),
        ("--channels", channels, (None, *CHANNEL_POLICIES)),
        ("--empty-text", empty_text, EMPTY_TEXT_POLICIES),
    ):
        if value not in known:
            raise ParlureError(f"{flag} cannot be {value}", f"{flag} {'|'.join(name for name in known if name)}")
    if language is None:
        return None
    code = language_code(language)
    if code is None:
        raise ParlureError(f"{language} is not a language code", "--language fr, en, es: two or three letters")
    return code


def _nothing_left(rejected: Sequence[Rejected]) -> ParlureError:
    if not rejected:
        return ParlureError("the sources hold no row", "a table has a line for each utterance, under its header")
    counts = ", ".join(f"{n} {reason}" for reason, n in Counter(row.reason for row in rejected).most_common())
    first = rejected[0]
    return ParlureError(
        f"none of the {len(rejected)} rows can be used: {counts}", f"the first, {place(first)}: {first.sentence}"
    )


def _place(
    by_id: Mapping[str, Taken],
    names: Mapping[Path, str],
    local_speakers: bool | None,
    ratios: Sequence[float],
    group_by: Collection[str],
    seed: int,
) -> _Placed:
    # a recording stands for the session of a row that names none
    found = [
        Member(name, one.end - one.start, one.row.speaker, one.row.session or names[one.row.audio])
        for name, one in by_id.items()
    ]
    members, warnings = qualify_speakers(found, local_speakers)
    plan, method = _split(by_id, members, ratios, group_by, seed)
    split = {"method": method, "group_by": list(group_by), "n_groups": plan.n_groups}
    if method == "groups":
        split |= {"seed": seed, "ratios": list(ratios)}
    utterances = [_utterance(by_id[member.id], member, plan.split_of[member.id]) for member in members]
    return _Placed(utterances, split, (*warnings, *plan.warnings, *_thin_ice(utterances)))


def _split(
    by_id: Mapping[str, Taken],
    members: Sequence[Member],
    ratios: Sequence[float],
    group_by: Collection[str],
    seed: int,
) -> tuple[SplitPlan, str]:
    """The sources' own split if they have one (``given``), else ours (``groups``)."""
    if all(one.row.split is None for one in by_id.values()):
        return assign_splits(members, ratios=ratios, group_by=group_by, seed=seed), "groups"
    split_of = {}
    for name, one in by_id.items():
        if one.row.split is None:
            raise ParlureError(
                f"{place(one.row)} has no split though other rows have one",
                "fill the column split in every row, or leave it out and parlure divides",
            )
        try:
            split_of[name] = given_split(one.row.split)
        except ParlureError as error:
            raise ParlureError(f"{place(one.row)}: {error.message}", error.hint) from error
    n_groups = check_given_splits(members, split_of, group_by)
    return SplitPlan(split_of, n_groups), "given"


def _utterance(one: Taken, member: Member, split: str) -> Utterance:
    row = one.row
    return Utterance(
        id=member.id,
        recording=str(row.audio.resolve()),
        start=one.start,
        end=one.end,
        channel=one.channel,
        text=one.text,
        language=one.language,
        task=one.task,
        speaker=member.speaker,
        session=row.session,
        split=split,
        segments=row.segments,
        prompt=row.prompt,
        tags=row.tags,
    )


def _thin_ice(utterances: Sequence[Utterance]) -> list[str]:
    """Warnings about what the test split can show."""
    warnings = []
    n_unknown = sum(utterance.speaker is None for utterance in utterances)
    if n_unknown:
        warnings.append(
            f"{n_unknown} of {len(utterances)} utterances name no speaker: calls are kept on one side of the split, "
            "but a person may be on both"
        )
    test = [utterance for utterance in utterances if utterance.split == "test"]
    n_speakers = len({utterance.speaker for utterance in test} - {None})
    if not test:
        warnings.append("there is no test split: nothing can be proved with this corpus")
    elif n_speakers < MIN_TEST_SPEAKERS and n_unknown < len(utterances):
        warnings.append(
            f"the test split has {n_speakers} known speaker{'s' * (n_speakers != 1)}: with fewer than "
            f"{MIN_TEST_SPEAKERS} only large differences can be told from chance"
        )
    return warnings


def _write(
    out: Path,
    gathered: Gathered,
    placed: _Placed,
    *,
    copy_audio: bool,
    strict: bool,
) -> PrepareSummary:
    """Write the folder; ``corpus.json`` last, and not at all if a strict person's row was rejected."""
    utterances, rejected = placed.utterances, gathered.rejected
    if copy_audio:
        utterances = _copies(utterances, gathered, out)
    begin_corpus(out)
    write_lines(out, utterances, (row.to_json() for row in rejected))
    summary = _summary(out, utterances, rejected, (*placed.warnings, *_left_over(out, utterances)), strict)
    if not summary.gate_failed:
        finish_corpus(out, _info(gathered, placed.split, utterances, summary))
        shutil.rmtree(out / SHARDS, ignore_errors=True)
    return summary


def _copies(utterances: Sequence[Utterance], gathered: Gathered, out: Path) -> list[Utterance]:
    """Every utterance as a file of the corpus; those that a source embeds are that already."""
    home = out.resolve()
    ours = {str(one.row.audio.resolve()) for one in gathered.taken if one.extracted}
    inside = [u.recording for u in utterances if u.recording not in ours and Path(u.recording).is_relative_to(home)]
    if inside:
        raise ParlureError(f"{inside[0]} lies in the corpus that is to be written", "--out another folder")
    begin_corpus(out)
    return [u if u.recording in ours else _copied(u, out) for u in utterances]


def _copied(utterance: Utterance, out: Path) -> Utterance:
    samples = read_audio(utterance.recording, utterance.start, utterance.end, utterance.channel)
    path = out.resolve() / "audio" / f"{utterance.id}.flac"
    write_audio(path, samples)
    return replace(utterance, recording=str(path), start=0.0, end=round(len(samples) / SAMPLE_RATE, 6), channel=None)


def _left_over(out: Path, utterances: Sequence[Utterance]) -> list[str]:
    """A warning about copies that an earlier call left: they may be the only ones, so they are not removed."""
    used = {Path(utterance.recording) for utterance in utterances}
    n_left = sum(path not in used for path in (out.resolve() / "audio").glob("*.flac"))
    if not n_left:
        return []
    return [f"audio/ holds {n_left} file{'s' * (n_left != 1)} of an earlier run that nothing uses: remove them by hand"]


def _mended(out: Path) -> tuple[str, ...]:
    """A sentence if an earlier call did not come to its end; this one makes the corpus whole."""
    if not (out / UNFINISHED).exists() or (out / INFO).exists():
        return ()
    return (f"an earlier prepare left {out} not whole: it has been made whole now",)


def _summary(
    out: Path, utterances: Sequence[Utterance], rejected: Sequence[Rejected], warnings: tuple[str, ...], strict: bool
) -> PrepareSummary:
    return PrepareSummary(
        folder=out,
        n_read=len(utterances) + len(rejected),
        n_used=len(utterances),
        n_rejected=len(rejected),
        rejected_by_reason=dict(Counter(row.reason for row in rejected).most_common()),
        utterances_by_split={split: sum(u.split == split for u in utterances) for split in SPLITS},
        hours_by_split={split: _hours(u for u in utterances if u.split == split) for split in SPLITS},
        warnings=warnings,
        gate_failed=strict and bool(rejected),
    )


def _info(
    gathered: Gathered, split: dict[str, Any], utterances: Sequence[Utterance], summary: PrepareSummary
) -> dict[str, Any]:
    """The content of ``corpus.json``."""
    return {
        "sources": gathered.sources,
        "licence": ", ".join(dict.fromkeys(gathered.licences)) or None,
        "split": split,
        "n_read": summary.n_read,
        "n_used": summary.n_used,
        "rejected": {"total": summary.n_rejected, **summary.rejected_by_reason},
        "hours": _hours(utterances),
        "by_split": {name: _tally(u for u in utterances if u.split == name) for name in SPLITS},
        "by_language": _tallies(utterances, "language"),
        "by_speaker": _tallies(utterances, "speaker"),
        "warnings": list(summary.warnings),
    }


def _tallies(utterances: Sequence[Utterance], attribute: str) -> dict[str, dict[str, float]]:
    """Hours and counts by an attribute, in alphabetical order; utterances where it is not known are left out."""
    by_value: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        value = getattr(utterance, attribute)
        if value is not None:
            by_value[value].append(utterance)
    return {value: _tally(by_value[value]) for value in sorted(by_value)}


def _tally(utterances: Iterable[Utterance]) -> dict[str, float]:
    counted = list(utterances)
    speakers = {utterance.speaker for utterance in counted} - {None}
    return {"hours": _hours(counted), "utterances": len(counted), "speakers": len(speakers)}


def _hours(utterances: Iterable[Utterance]) -> float:
    return round(sum(utterance.duration_s for utterance in utterances) / 3600, 6)
