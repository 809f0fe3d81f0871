"""LibriSpeech tree (``SPEAKER/CHAPTER/SPEAKER-CHAPTER-NNNN.flac`` with ``SPEAKER-CHAPTER.trans.txt``) or a
Multilingual LibriSpeech tree (``transcripts.txt`` with ``audio/SPEAKER/BOOK/SPEAKER_BOOK_NNNNNN.flac``) → rows.

The source is the whole tree, a subset of it such as ``dev-clean``, or any folder within. Speaker and session (the
chapter or the book, as it was read by that speaker) come from the utterance's id; the split from the nearest folder
named ``train…``, ``dev…`` or ``test…``; sex and subset from ``SPEAKERS.TXT``, gender from ``metainfo.txt``, as
metadata. The language is told only by a folder named ``mls_french`` or the like. ``segments.txt`` says where in
LibriVox a clip was cut from, and is left alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from parlure.corpus.readers.beside import AUDIO_SUFFIXES
from parlure.corpus.readers.row import Columns, Rejected, Row, parse_row
from parlure.errors import ParlureError

_TRANS = ".trans.txt"
_TRANSCRIPTS = "transcripts.txt"
_DEPTH = 3  # subset, speaker, chapter: folders between the root of the tree and a transcript
_SPLIT = re.compile(r"(train|dev|test)([-_.].*)?")
_LANGUAGES = {
    "english": "en", "german": "de", "dutch": "nl", "french": "fr", "spanish": "es", "italian": "it",
    "portuguese": "pt", "polish": "pl",
}  # fmt: skip
_MLS = re.compile(f"mls_({'|'.join(_LANGUAGES)})(_opus)?")
_SUFFIXES = (".flac", ".opus", ".wav", ".mp3")


def read_librispeech(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """Rows of every transcript below a folder, in alphabetical order.

    Raises:
        ParlureError: no such folder, no transcript in it, or a column is named though a tree has none.
    """
    root = Path(source)
    if not root.is_dir():
        raise ParlureError(f"there is no folder {source}", "check the path")
    if columns.given():
        given = ", ".join(f"--{name}" for name in columns.given())
        raise ParlureError(f"{source} is a tree of LibriSpeech and has no columns to name", f"leave out {given}")
    transcripts = sorted(_transcripts(root))
    if not transcripts:
        raise ParlureError(
            f"{source} holds no transcript of LibriSpeech",
            f"it has a file SPEAKER-CHAPTER{_TRANS} in every chapter, or {_TRANSCRIPTS} beside audio/",
        )
    speakers = _speakers(root)
    for path in transcripts:
        yield from _rows(root, path, speakers)


def is_librispeech(folder: Path) -> bool:
    """Whether a folder is such a tree: looks into it, and on into the first folder of each level."""
    for _ in range(_DEPTH + 1):
        with os.scandir(folder) as entries:
            found = list(entries)
        if any(entry.name.endswith(_TRANS) for entry in found) or _is_mls(folder):
            return True
        folders = [entry.name for entry in found if entry.is_dir() and not entry.name.startswith(".")]
        if not folders:
            return False
        folder /= min(folders)
    return False


def _is_mls(folder: Path) -> bool:
    return (folder / _TRANSCRIPTS).is_file() and (folder / "audio").is_dir()


def _transcripts(root: Path) -> Iterator[Path]:
    for folder, _, files in os.walk(root):
        yield from (Path(folder) / name for name in files if name.endswith(_TRANS))
        if _TRANSCRIPTS in files and _is_mls(Path(folder)):
            yield Path(folder) / _TRANSCRIPTS


def _rows(root: Path, transcript: Path, speakers: Mapping[str, Mapping[str, str]]) -> Iterator[Row | Rejected]:
    source = str(transcript)
    is_mls = transcript.name == _TRANSCRIPTS
    listed = set()
    split, subset = _split(root, transcript)
    language = _language(transcript)
    # bytes that are not UTF-8 become surrogates, for which parse_row rejects the row
    lines = transcript.read_bytes().decode("utf-8-sig", errors="surrogateescape").split("\n")
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line:
            continue
        name, _, text = line.partition("\t" if is_mls else " ")
        parts = name.split("_" if is_mls else "-")
        listed.add(name)
        if len(parts) != 3:
            wanted = "SPEAKER_BOOK_NUMBER, a tab" if is_mls else "SPEAKER-CHAPTER-NUMBER, a space"
            sentence = f"the line does not begin with {wanted} and the text"
            yield Rejected(source, number, {"content": line}, "malformed_row", sentence)
            continue
        about = {name: value for name, value in {**speakers.get(parts[0], {}), "subset": subset}.items() if value}
        raw = {"id": name, "text": text, **about}
        folder = Path("audio", *parts[:2]) if is_mls else Path()
        fields = {
            "id": name, "text": text, "speaker": parts[0], "session": name.removesuffix(parts[2])[:-1],
            "audio": _audio(transcript.parent, folder / name), "language": language, "split": split,
        }  # fmt: skip
        yield parse_row(source, number, raw, fields, tuple(about))
    if not is_mls:
        yield from _untranscribed(transcript, listed)


def _audio(folder: Path, name: Path) -> str:
    """The recording of an utterance, relative to the folder; the missing one where there is none."""
    paths = [f"{name}{suffix}" for suffix in _SUFFIXES]
    return next((path for path in paths if (folder / path).is_file()), paths[0])


def _untranscribed(transcript: Path, listed: set[str]) -> Iterator[Rejected]:
    """A rejection for each recording of the chapter that its transcript does not list."""
    for path in sorted(transcript.parent.iterdir()):
        if path.suffix.lower() in AUDIO_SUFFIXES and path.stem not in listed:
            sentence = f"{transcript.name} has no line for {path.name}"
            yield Rejected(str(transcript), None, {"audio": path.name}, "empty_text", sentence)


def _split(root: Path, transcript: Path) -> tuple[str | None, str]:
    """The split that the nearest folder names, and that folder: ``train``, ``train-clean-100``."""
    for folder in transcript.resolve().parents:
        if match := _SPLIT.fullmatch(folder.name):
            return match[1], folder.name
        if folder == root.resolve():
            break
    return None, ""


def _language(transcript: Path) -> str | None:
    matches = (_MLS.fullmatch(folder.name) for folder in transcript.resolve().parents)
    return next((_LANGUAGES[match[1]] for match in matches if match), None)


def _speakers(root: Path) -> dict[str, dict[str, str]]:
    """What the tables of speakers in the tree, or beside the subset of it, say of each: ``{"sex": "F"}``."""
    about = {}
    for folder in (root.parent, root):
        for name, column in (("SPEAKERS.TXT", "sex"), ("metainfo.txt", "gender")):
            if not (folder / name).is_file():
                continue
            for line in (folder / name).read_text(encoding="utf-8", errors="replace").splitlines():
                speaker, _, rest = line.partition("|")
                if not line.startswith(";") and rest:
                    about[speaker.strip()] = {column: rest.split("|")[0].strip()}
    return about
