"""What a source calls its columns → what parlure calls them; and which one was meant, where that fails."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping

from parlure.corpus.readers.row import FIELDS, Columns
from parlure.errors import ParlureError

REQUIRED = ("audio", "text")
# where a clip was cut from: of a data set of clips no field, and nothing to slice by unless it is asked for
PROVENANCE = ("recording", "start", "end", "channel")
# what other tools call these columns, to say which one was probably meant
_OTHER_NAMES = {
    "audio": ("path", "file", "filename", "file_name", "filepath", "audio_filepath", "audio_path", "wav", "recording"),
    "text": ("transcript", "transcription", "transcripts", "sentence", "normalized_text", "raw_text", "texte"),
    "speaker": ("speaker_id", "client_id", "spk", "locuteur"),
    "session": ("session_id", "call", "call_id", "conversation", "conversation_id", "appel"),
}


def name_columns(
    source: str, columns: Columns, found: Collection[str], required: Collection[str] = REQUIRED
) -> dict[str, str]:
    """The source's name of each of our columns, by our name.

    Args:
        source: for the message.
        columns: the names that the person gave.
        found: the columns that the source has.
        required: ours that it has to have.

    Raises:
        ParlureError: a required column, or one that the person named, is not there.
    """
    names = {own: own for own in FIELDS} | columns.given()
    for own, name in names.items():
        if name in found or (own not in required and own not in columns.given()):
            continue
        close = [other for other in found if other.lower() in _OTHER_NAMES.get(own, ()) or other.lower() == own]
        close += difflib.get_close_matches(name, found, n=3)
        listed = ", ".join(found) or "none"
        raise ParlureError(f"{source} has no column {name}; it has: {listed}", _hint(own, close))
    return names


def refuse_absent(
    source: str, names: Mapping[str, str], found: Collection[str], required: Collection[str], hint: str
) -> None:
    """See that a source of a known format has its format's columns, and those that the person named.

    Args:
        source: for the message.
        names: the source's name of each of our columns, by our name.
        found: the columns that the source has.
        required: ours that it has to have.
        hint: what to do if the source is of another format.

    Raises:
        ParlureError: one is not there.
    """
    for own in required:
        if names[own] not in found:
            close = difflib.get_close_matches(names[own], found, n=1)
            listed = ", ".join(found) or "none"
            raise ParlureError(
                f"{source} has no column {names[own]}; it has: {listed}",
                f"--{own} {close[0]}" if close and own != "audio" else hint,
            )


def spare_columns(names: Mapping[str, str], found: Iterable[str]) -> tuple[str, ...]:
    """The columns of a source that no field is made of.

    Args:
        names: as :func:`name_columns` gives them.
        found: the columns that the source has.
    """
    used = set(names.values())
    return tuple(name for name in dict.fromkeys(found) if name not in used)


def _hint(own: str, close: list[str]) -> str:
    if not close:
        return "a manifest needs the columns audio and text" + ("" if own == "audio" else f"; --{own} names yours")
    return f"rename the column {close[0]} to audio" if own == "audio" else f"--{own} {close[0]}"
