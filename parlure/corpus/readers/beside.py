"""A transcript → the recording that lies beside it."""

from __future__ import annotations

from pathlib import Path

_COMMON = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".webm", ".weba", ".mka", ".wma")
_TELEPHONE_AND_OLDER = (".amr", ".3gp", ".gsm", ".aif", ".aiff", ".au", ".caf")
AUDIO_SUFFIXES = frozenset(_COMMON + _TELEPHONE_AND_OLDER)


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
    if name is not None and (folder / name).is_file():
        return folder / name
    lying = {path.name: path for path in sorted(folder.iterdir()) if path.suffix.lower() in AUDIO_SUFFIXES}
    for stem in stems:
        for path in lying.values():
            if path.stem == stem:
                return path
    return folder / (name or f"{transcript.stem}.wav")
