"""Kaldi data folder (``wav.scp``, ``text``; ``segments``, ``utt2spk`` and others if they are there) → rows.

A source is such a folder, or one that holds several, as ``data`` holds ``data/train`` and ``data/test``. Folders named
after a split give their utterances that split. Each line of ``text`` is a row; what else has no partner is rejected:
a segment or recording without text, a text without one of them, a second line with an id.

A speaker called as the utterance is not known (Kaldi's own rule). Recordings ``X-A`` and ``X-B`` are the sides of one
call ``X``, which is then the session, as is the file that ``reco2file_and_channel`` names; where both are channels of
one file, A is the first and B the second. Commands of ``wav.scp`` that only decode a file are not run: it is read
(:mod:`parlure.corpus.readers.kaldi_pipes`). ``utt2lang`` is the language; ``spk2gender`` a tag such as
``gender=female``.

Formats: https://kaldi-asr.org/doc/data_prep.html and the usage of ``extract-segments``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from parlure.corpus.readers.elsewhere import found_from, gender, splits_named, spoken_language
from parlure.corpus.readers.kaldi_pipes import decoded_by
from parlure.corpus.readers.kaldi_tables import Table, not_a_file, parse_segment, read_table
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.errors import ParlureError
from parlure.speech.audio import AudioError, probe

_SIDE = re.compile(r"(.+)[-_]([AB])")
_CHANNELS = {"A": 0, "B": 1, "1": 0, "2": 1}
_FILES = ("wav.scp", "text", "segments", "utt2spk", "utt2lang", "spk2gender", "reco2file_and_channel")


def holds_kaldi(folder: Path) -> bool:
    """Whether a folder is a Kaldi data folder, or holds some."""
    return bool(_data_folders(folder))


def read_kaldi(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """A row for each line of ``text``, folder after folder.

    Raises:
        ParlureError: no such folder, no ``wav.scp`` or ``text`` in it, or a column is named though Kaldi has none.
    """
    folders = _data_folders(Path(source))
    if not folders:
        raise ParlureError(f"{source} is no Kaldi data folder: it has no wav.scp", "name a folder such as data/train")
    if columns.given():
        given = ", ".join(f"--{name}" for name in columns.given())
        raise ParlureError(f"{source} is a Kaldi data folder, without columns to name", f"leave out {given}")
    splits = splits_named([folder.resolve().name for folder in folders])
    for folder in folders:
        if not (folder / "text").is_file():
            raise ParlureError(f"{folder} has no text", "a Kaldi data folder has its transcripts in a file called text")
        yield from _DataFolder(folder, splits[folder.resolve().name]).rows()


def _data_folders(folder: Path) -> list[Path]:
    if (folder / "wav.scp").is_file():
        return [folder]
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in inside if (path / "wav.scp").is_file()]


class _DataFolder:
    """The tables of one data folder, and what they say of an utterance."""

    def __init__(self, folder: Path, split: str | None) -> None:
        self.folder, self.split = folder, split
        self.tables = {name: read_table(folder / name) for name in _FILES}
        self.recordings, self.text, self.segments = (self.tables[name] for name in _FILES[:3])
        self.has_segments = self.segments.path.is_file()
        self.sides = {key: rest.split() for key, (_, rest) in self.tables["reco2file_and_channel"].entries.items()}
        self.n_sides = Counter(fields[0] for fields in self.sides.values() if fields)
        self._files: dict[str, tuple[Path, int | None]] = {}

    def rows(self) -> Iterator[Row | Rejected]:
        """Rows in the order of ``text``, then whatever has none."""
        for table in self.tables.values():
            yield from table.rejected
        for utterance in self.text.entries:
            yield self._row(utterance)
        for key in self.segments.entries:
            if key not in self.text.entries:
                yield self.segments.refuse(key, "empty_text", f"the utterance {key} has no line in text")
        used = {field for _, rest in self.segments.entries.values() for field in rest.split()[:1]}
        lacking = "segment" if self.has_segments else "line in text"
        for key in self.recordings.entries:
            if key not in (used if self.has_segments else self.text.entries):
                yield self.recordings.refuse(key, "empty_text", f"the recording {key} has no {lacking}")

    def _row(self, utterance: str) -> Row | Rejected:
        recording, start, end, channel = utterance, None, None, None
        if self.has_segments:
            segment = self.segments.get(utterance)
            if segment is None:
                sentence = f"the utterance {utterance} has no line in segments"
                return self.text.refuse(utterance, "missing_file", sentence)
            parsed = parse_segment(segment)
            if isinstance(parsed, str):
                return self._refused(utterance, self.segments, utterance, "malformed_row", parsed)
            recording, start, end, channel = parsed
        extended = self.recordings.get(recording)
        if extended is None:
            sentence = f"the recording {recording} of the utterance {utterance} has no line in wav.scp"
            return self.text.refuse(utterance, "missing_file", sentence)
        wrong = not_a_file(extended)
        if wrong is not None:
            return self._refused(utterance, self.recordings, recording, "missing_file", wrong)
        audio, side = self._file(recording, extended)
        speaker, language, sex = self._about(utterance)
        line, text = self.text.entries[utterance]
        return Row(
            source=str(self.text.path),
            line=line,
            raw={"id": utterance, "recording": recording, "text": text},
            audio=audio,
            text=text,
            id=utterance,
            speaker=None if speaker == utterance else speaker,
            session=self._session(recording),
            language=spoken_language(language or "") or None,
            split=self.split,
            start=start,
            end=end,
            channel=side if channel is None else channel,
            tags=() if sex is None else (f"gender={gender(sex)}",),
        )

    def _refused(self, utterance: str, table: Table, key: str, reason: str, sentence: str) -> Rejected:
        """The rejection of an utterance for what another table's line says."""
        line, text = self.text.entries[utterance]
        raw = {"id": utterance, "recording": key, "text": text, "rest": table.get(key)}
        return Rejected(str(self.text.path), line, raw, reason, f"{table.where(key)}: {sentence}")

    def _about(self, utterance: str) -> tuple[str | None, str | None, str | None]:
        """Speaker, language and gender, as far as the tables say."""
        speaker = self.tables["utt2spk"].get(utterance) or None
        return speaker, self.tables["utt2lang"].get(utterance) or None, self.tables["spk2gender"].get(speaker) or None

    def _file(self, recording: str, extended: str) -> tuple[Path, int | None]:
        """Where a recording is, and which of its channels it is, if it has more than one."""
        if recording not in self._files:
            piped = decoded_by(extended) if extended.endswith("|") else None
            audio = found_from(piped.file if piped else extended, self.folder.absolute())
            side = piped.channel if piped and piped.channel is not None else self._side(recording)
            if side is not None:
                try:
                    side = side if probe(audio).n_channels > 1 else None
                except AudioError:  # said when it is examined
                    side = None
            self._files[recording] = (audio, side)
        return self._files[recording]

    def _side(self, recording: str) -> int | None:
        """0 for side A and 1 for side B of a call; an A alone in ``reco2file_and_channel`` says nothing."""
        named = _SIDE.fullmatch(recording)
        fields = self.sides.get(recording, [])
        if len(fields) == 2 and (fields[1] in ("B", "2") or self.n_sides[fields[0]] > 1 or named):
            return _CHANNELS.get(fields[1])
        return _CHANNELS[named[2]] if named else None

    def _session(self, recording: str) -> str | None:
        """The call that a recording is of, where it is not the recording itself."""
        fields = self.sides.get(recording, [])
        if len(fields) == 2:
            return fields[0] if fields[0] != recording else None
        named = _SIDE.fullmatch(recording)
        if named is None:
            return None
        other = recording[:-1] + {"A": "B", "B": "A"}[named[2]]
        return named[1] if other in self.recordings.entries else None
