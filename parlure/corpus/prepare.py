"""Sources (recordings and transcripts) → a corpus folder.

While rows are examined, only recordings that a source embeds are written, and what was heard of the others
(``heard.jsonl``), so that a call after this one goes on. Then come ``manifest.jsonl`` and ``rejected.jsonl``, and last
``corpus.json``. Each row read is in one of the first two: used + rejected = read.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from parlure.corpus.correcting.history import HISTORY, History
from parlure.corpus.embedded import SHARDS
from parlure.corpus.examine import CHANNEL_POLICIES, EMPTY_TEXT_POLICIES, Examiner, language_code, place
from parlure.corpus.folds import check_folds, fold_folders, forget_folds
from parlure.corpus.gather import Gathered, Progress, gather
from parlure.corpus.heard import HeardBook
from parlure.corpus.joining import Joined, JoinPolicy, join_placed
from parlure.corpus.manifest import (
    INFO,
    REJECTED,
    SPLITS,
    TASKS,
    UNFINISHED,
    Utterance,
    begin_corpus,
    finish_corpus,
    refuse_foreign_folder,
    write_joined,
    write_lines,
)
from parlure.corpus.naming import give_ids, recording_names
from parlure.corpus.overlooked import said_of_languages, said_of_times
from parlure.corpus.placing import Placed, place_all
from parlure.corpus.readers.chat.marks import chosen_marks
from parlure.corpus.readers.row import Columns, Rejected
from parlure.corpus.split import DEFAULT_RATIOS, GROUP_KEYS, check_options
from parlure.corpus.stereo import channels_found, channels_info, said_of_channels, said_of_chosen
from parlure.corpus.tallies import hours, tallies
from parlure.errors import ParlureError
from parlure.exclusive import alone_in
from parlure.speech.audio import SAMPLE_RATE, read_audio, write_audio


@dataclass(frozen=True)
class PrepareSummary:
    """What became of the rows.

    Attributes:
        folder: the corpus.
        n_read: rows read; ``n_used + n_rejected``.
        n_used: rows that the manifest's utterances are made of.
        n_utterances: utterances in the manifest; a row of more than 30 s is cut into several, and rows may be joined.
        n_rejected: rows in ``rejected.jsonl``.
        rejected_by_reason: how many by reason code, most frequent first.
        utterances_by_split: how many in train, dev and test.
        hours_by_split: hours in train, dev and test.
        n_folds: how many splits there are, 0 where there is one.
        warnings: what a person should know before going on, one sentence each.
        notes: which tables of a folder were read, and which columns became tags, a sentence each.
        gate_failed: ``strict`` was asked for and a row was rejected: the corpus was left without ``corpus.json``.
    """

    folder: Path
    n_read: int
    n_used: int
    n_rejected: int
    n_utterances: int
    rejected_by_reason: dict[str, int]
    utterances_by_split: dict[str, int]
    hours_by_split: dict[str, float]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()
    gate_failed: bool = False
    n_folds: int = 0

    def lines(self) -> list[str]:
        """What a person reads when it is done."""
        reasons = ", ".join(f"{n} {reason}" for reason, n in self.rejected_by_reason.items())
        said = f", {self.n_rejected} rejected ({reasons}): rejected.jsonl says why" if reasons else ""
        shares = (f"{name} {n} in {self.hours_by_split[name]:.2f} h" for name, n in self.utterances_by_split.items())
        how = "long ones were cut between phrases" if self.n_utterances > self.n_used else "phrases were joined"
        is_same = self.n_utterances == self.n_used
        made = "" if is_same else f" ({self.n_utterances} of {self.n_used} rows: {how})"
        return [
            f"{self.n_used} of {self.n_read} rows used{said}",
            f"utterances: {', '.join(shares)}{made}",
            *self.notes,
            *([f"folds: {self.n_folds}, each a corpus: {self.folder / 'fold-1'} …"] if self.n_folds else []),
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
    marks: Mapping[str, str] | None = None,
    language: str | None = None,
    task: str = "transcribe",
    channels: str | None = None,
    channel_speakers: Sequence[str] = (),
    empty_text: str = "reject",
    strict: bool = False,
    ratios: Sequence[float] | None = None,
    group_by: Collection[str] = GROUP_KEYS,
    seed: int = 1,
    folds: int | None = None,
    copy_audio: bool = False,
    local_speakers: bool | None = None,
    tags: Collection[str] | None = None,
    join_policy: JoinPolicy | None = None,
    progress: Progress | None = None,
) -> PrepareSummary:
    """Make a corpus.

    Args:
        sources: manifests, folders, and data sets of parquet shards on disk or on the Hub (``hf://owner/name``).
        out: the corpus folder, new, empty, or a corpus to be made again.
        reader: a reader's name; None goes by each source's suffix.
        text, speaker, session: what the sources call these columns.
        marks: what becomes of the marks of CHAT transcripts: ``{"fillers": "drop"}``.
        language, task: for rows that name none.
        channels: ``first``, ``split`` or ``mix``, where channels differ and a row names none (see :class:`Examiner`).
        channel_speakers: who speaks in channel 0, 1 and so on, where a row names nobody: ``("agent", "customer")``.
        empty_text: ``reject``, or ``no-speech`` to take an empty text as silence.
        strict: whether a rejected row leaves the corpus not whole.
        ratios: shares of train, dev and test; None is 0.8, 0.1, 0.1. A whole split of the sources' own goes before.
        group_by, seed: see :func:`parlure.corpus.split.assign_splits`.
        folds: so many splits, each a corpus ``OUT/fold-1`` …; the first is that of ``OUT`` too.
        copy_audio: write each span to ``audio/`` (16 kHz mono FLAC) instead of pointing to its recording.
        local_speakers: whether speaker names hold only within a session; None guesses and says so.
        tags: columns of the sources to make tags ``name=value`` of, ``none`` for no column; None chooses them (see
            :mod:`parlure.corpus.tagging`).
        join_policy: how phrases of long recordings are joined into windows; None joins none.
        progress: called with (rows examined, rows known so far).

    Raises:
        ParlureError: what concerns all rows; single rows are rejected and listed instead.
    """
    out = Path(out)
    language = _checked_options(sources, language, task, channels, empty_text)
    check_options(DEFAULT_RATIOS if ratios is None else ratios, group_by)
    if folds is not None:
        check_folds(folds)
    columns = Columns(text=text, speaker=speaker, session=session, marks=chosen_marks(marks) if marks else {})
    examiner = Examiner(language, task, channels, empty_text, _checked_speakers(channel_speakers))
    for folder in (out, *fold_folders(out, folds)):
        refuse_foreign_folder(folder)
    with alone_in(out), HeardBook(out) as book:
        mended = _mended(out)
        gathered = gather(sources, columns, reader, examiner, out, book, progress, tags)
        names = recording_names((one.row.audio for one in gathered.taken), out)
        by_id, duplicates = give_ids(gathered.taken, names)
        if not by_id:
            raise _nothing_left(gathered.rejected, out)
        placed = place_all(by_id, names, local_speakers, ratios, group_by, seed, folds)
        layouts = channels_found(gathered.taken, out)
        of_channels = (*said_of_chosen(gathered.taken, channels), *said_of_channels(layouts))
        of_rows = (*said_of_languages(gathered.taken), *said_of_times(one.row for one in gathered.taken))
        warnings = (*mended, *of_channels, *of_rows, *placed.warnings)
        placed = replace(placed, warnings=warnings)
        gathered.facts["channels"] = channels_info(layouts)
        joined = None
        if join_policy is not None and join_policy.mode != "none":
            rows = {name: one.row for name, one in by_id.items()}
            placed, joined = join_placed(placed, rows, gathered.rejected, join_policy, names)
        gathered.rejected += duplicates
        n_used = len(gathered.taken) - len(duplicates)
        return _write(out, gathered, placed, joined, n_used, copy_audio=copy_audio, strict=strict)


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


def _checked_speakers(names: Sequence[str]) -> tuple[str, ...]:
    if len(names) != len(set(names)) or not all(names):
        raise ParlureError(
            f"--channel-speakers cannot be {','.join(names)}",
            "a name for each channel: --channel-speakers agent,customer",
        )
    return tuple(names)


def _nothing_left(rejected: Sequence[Rejected], out: Path) -> ParlureError:
    """What to say when no row is left; ``rejected.jsonl`` says it of each row, unless a whole corpus lies there."""
    if not rejected:
        return ParlureError("the sources hold no row", "a table has a line for each utterance, under its header")
    counts = ", ".join(f"{n} {reason}" for reason, n in Counter(row.reason for row in rejected).most_common())
    listed = ""
    if not (out / INFO).exists():
        begin_corpus(out)
        write_lines(out, [], (row.to_json() for row in rejected))
        listed = f"; {out / REJECTED} says why"
    first = rejected[0]
    overlooked = said_of_times(row.understood for row in rejected if row.understood is not None)
    return ParlureError(
        f"none of the {len(rejected)} rows can be used: {counts}{listed}",
        "; ".join([*overlooked, f"the first, {place(first)}: {first.sentence}"]),
    )


def _write(
    out: Path,
    gathered: Gathered,
    placed: Placed,
    joined: Joined | None,
    n_used: int,
    *,
    copy_audio: bool,
    strict: bool,
) -> PrepareSummary:
    """Write the folder; ``corpus.json`` last, and not at all if a strict person's row was rejected."""
    utterances, rejected = placed.utterances, gathered.rejected
    if copy_audio:
        utterances = _copies(utterances, gathered, out)
    begin_corpus(out)
    forget_folds(out)
    write_lines(out, utterances, (row.to_json() for row in rejected))
    write_joined(out, None if joined is None else joined.lines)
    unused = _extracted(gathered) - {Path(utterance.recording) for utterance in utterances}
    warnings = (*placed.warnings, *_left_over(out, utterances, unused), *_to_be_put_back(out))
    summary = _summary(out, utterances, rejected, n_used, warnings, strict, len(placed.folds))
    summary = replace(summary, notes=_notes(gathered))
    if not summary.gate_failed:
        _write_folds(out, gathered, placed, utterances, n_used)
        finish_corpus(out, _info(gathered, placed.split, utterances, summary) | _how_joined(joined))
        shutil.rmtree(out / SHARDS, ignore_errors=True)
        for path in unused:  # of rows whose id was taken; until here, so that their shard was not read again
            path.unlink(missing_ok=True)
    return summary


def _notes(gathered: Gathered) -> tuple[str, ...]:
    notes = []
    for source in gathered.sources:
        if tables := source.get("tables"):
            listed = ", ".join(f"{name} {n} row{'s' * (n != 1)}" for name, n in tables.items())
            notes.append(f"read of {source['path']}: {listed}")
    tags = gathered.tagged.line()
    return (*notes, tags) if tags else tuple(notes)


def _write_folds(out: Path, gathered: Gathered, placed: Placed, utterances: Sequence[Utterance], n_used: int) -> None:
    """A corpus for each fold: the same utterances, each fold's splits, and what is to be said of it."""
    for folder, fold in zip(fold_folders(out, len(placed.folds)), placed.folds, strict=True):
        theirs = [replace(u, split=other.split) for u, other in zip(utterances, fold.utterances, strict=True)]
        begin_corpus(folder)
        write_lines(folder, theirs, (row.to_json() for row in gathered.rejected))
        summary = _summary(folder, theirs, gathered.rejected, n_used, fold.warnings, False)
        finish_corpus(folder, _info(gathered, fold.split, theirs, summary))


def _copies(utterances: Sequence[Utterance], gathered: Gathered, out: Path) -> list[Utterance]:
    """Every utterance as a file of the corpus; those that a source embeds are that already."""
    home = out.resolve()
    ours = set(map(str, _extracted(gathered)))
    inside = [u.recording for u in utterances if u.recording not in ours and Path(u.recording).is_relative_to(home)]
    if inside:
        raise ParlureError(f"{inside[0]} lies in the corpus that is to be written", "--out another folder")
    begin_corpus(out)
    return [u if u.recording in ours else _copied(u, out) for u in utterances]


def _extracted(gathered: Gathered) -> set[Path]:
    """The recordings that a source embeds, as files of the corpus."""
    return {one.row.audio.resolve() for one in gathered.taken if one.extracted}


def _copied(utterance: Utterance, out: Path) -> Utterance:
    samples = read_audio(utterance.recording, utterance.start, utterance.end, utterance.channel)
    path = out.resolve() / "audio" / f"{utterance.id}.flac"
    write_audio(path, samples)
    return replace(utterance, recording=str(path), start=0.0, end=round(len(samples) / SAMPLE_RATE, 6), channel=None)


def _left_over(out: Path, utterances: Sequence[Utterance], unused: set[Path]) -> list[str]:
    """A warning about copies that an earlier call left: they may be the only ones, so they are not removed."""
    ours = {Path(utterance.recording) for utterance in utterances} | unused
    n_left = sum(path not in ours for path in (out.resolve() / "audio").glob("*.flac"))
    if not n_left:
        return []
    return [f"audio/ holds {n_left} file{'s' * (n_left != 1)} of an earlier run that nothing uses: remove them by hand"]


def _to_be_put_back(out: Path) -> list[str]:
    """A warning about corrections of the corpus that is written over: the sources do not know of them."""
    n_lines = len(History(out).standing()) if (out / HISTORY).is_file() else 0
    if not n_lines:
        return []
    said = ("s", "are", "them") if n_lines != 1 else ("", "is", "it")
    return [
        f"{n_lines} correction{said[0]} made by ear {said[1]} in {HISTORY} and not in this corpus: "
        f"parlure correct puts {said[2]} back"
    ]


def _mended(out: Path) -> tuple[str, ...]:
    """A sentence if an earlier call did not come to its end; this one makes the corpus whole."""
    if not (out / UNFINISHED).exists() or (out / INFO).exists():
        return ()
    return (f"an earlier prepare left {out} not whole: it has been made whole now",)


def _summary(
    out: Path,
    utterances: Sequence[Utterance],
    rejected: Sequence[Rejected],
    n_used: int,
    warnings: tuple[str, ...],
    strict: bool,
    n_folds: int = 0,
) -> PrepareSummary:
    return PrepareSummary(
        folder=out,
        n_read=n_used + len(rejected),
        n_used=n_used,
        n_rejected=len(rejected),
        n_utterances=len(utterances),
        rejected_by_reason=dict(Counter(row.reason for row in rejected).most_common()),
        utterances_by_split={split: sum(u.split == split for u in utterances) for split in SPLITS},
        hours_by_split={split: hours(u for u in utterances if u.split == split) for split in SPLITS},
        warnings=warnings,
        gate_failed=strict and bool(rejected),
        n_folds=n_folds,
    )


def _info(
    gathered: Gathered, split: dict[str, Any], utterances: Sequence[Utterance], summary: PrepareSummary
) -> dict[str, Any]:
    """The content of ``corpus.json``."""
    return {
        "sources": gathered.sources,
        "licence": ", ".join(dict.fromkeys(gathered.licences)) or None,
        **gathered.facts,
        "split": split,
        "settings": gathered.settings,
        "n_read": summary.n_read,
        "n_used": summary.n_used,
        "n_utterances": summary.n_utterances,
        "rejected": {"total": summary.n_rejected, **summary.rejected_by_reason},
        **tallies(utterances),
        "tags": {"columns": gathered.tagged.columns, "left_out": gathered.tagged.left_out},
        "warnings": list(summary.warnings),
    }


def _how_joined(joined: Joined | None) -> dict[str, Any]:
    return {} if joined is None else {"join": joined.info}
