"""A transcript → the recording that lies beside it."""

from __future__ import annotations

import os
from pathlib import Path

_COMMON = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".webm", ".weba", ".mka", ".wma")
_TELEPHONE_AND_OLDER = (".amr", ".3gp", ".gsm", ".aif", ".aiff", ".au", ".caf")
AUDIO_SUFFIXES = frozenset(_COMMON + _TELEPHONE_AND_OLDER)
# of one recording in two formats the one that has lost nothing is heard: call.wav, not the call.mp3 made of it
_LOSSLESS = (".flac", ".wav", ".aif", ".aiff", ".caf", ".au")
_ORDER = (*_LOSSLESS, *sorted(AUDIO_SUFFIXES.difference(_LOSSLESS)))
_ASKED = [spelt for suffix in _ORDER for spelt in (suffix, suffix.upper())]


def recording_beside(transcript: Path, name: str | None = None) -> Path:
    """The recording of a transcript: same folder, same name but for the suffix; where there is none, the missing one.

    Args:
        transcript: the transcript's path.
        name: the recording's name as the transcript gives it, with or without a folder or a suffix; None is the
            transcript's own name. ``call.fr.srt`` belongs to ``call.wav`` if there is no ``call.fr.wav``.
    """
    stems = [transcript.stem] if name is None else [Path(name.replace("\\", "/")).stem, transcript.stem]
    stems += [stem.rpartition(".")[0] for stem in stems if "." in stem]
    folder = transcript.parent
    if name is not None and _is_file(folder / name):
        return folder / name
    # most are found by asking for them: a folder of many transcripts is not listed for each
    asked = (folder / f"{stem}{suffix}" for stem in stems for suffix in _ASKED)
    found = next(filter(_is_file, asked), None) or _listed(folder, stems)
    return found or folder / (name or f"{transcript.stem}.wav")


def _listed(folder: Path, stems: list[str]) -> Path | None:
    """A recording of these stems whose suffix is spelt in another way, such as ``.Wav``."""
    lying = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in AUDIO_SUFFIXES]
    return next((path for stem in stems for path in lying if path.stem == stem), None)


def _is_file(path: Path) -> bool:
    # os.path, not Path: a name in a transcript may be longer than names can be, and that is no error of ours
    return os.path.isfile(path)  # noqa: PTH113
