"""What Praat's and ELAN's files share: tiers of phrases, which of them are taken, and who speaks in one.

A tier's name is its speaker, unless it says what the tier holds. ``--text`` names the tiers to take, with commas
between them and ``*`` for any characters (``tx@*``); without it those are taken that are no translation or analysis of
another one, and no notes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.corpus.readers.timed import Phrase, Problem, UnreadableError, read_transcripts
from parlure.errors import ParlureError

_PHRASES = (
    "transcri(pt(ion|ions|s)?|bed)|text|texte|txt?|utterances?|phrases?|sentences?|orthograph(y|ic|e)|ortho|trn|speech"
)
_NOTHING = "|default|tier|intervals?|untitled|annotations?|segments?|segmentation|turns?|vad"
_SMALLER = (  # what forced aligners and phoneticians cut phrases into
    "words?|mots?|tokens?|phones?|phonemes?|phonèmes?|phono?|phonetics?|ipa|segs?|syll(able|abe)?s?|ort-mau|kan-mau|"
    "toe|(tokens|phon|phntok|syll)align"
)
# what the annotator says, and nobody in the recording
_ASIDE = "notes?|comments?|commentaires?|remarks?|remarques?|noises?|bruits?"
_NO_NAME = re.compile(rf"({_PHRASES}{_NOTHING}|{_SMALLER}|{_ASIDE})[ _-]?\d{{0,2}}|speakers?|silences", re.IGNORECASE)
_NO_PHRASE = re.compile(rf"({_SMALLER}|{_ASIDE})[ _-]?\d{{0,2}}", re.IGNORECASE)
_TRANSCRIBED = re.compile(_PHRASES, re.IGNORECASE)
_MAUS = {"MAU", "MAS"}  # sounds and syllables, beside ORT-MAU


@dataclass(frozen=True)
class Tier:
    """One tier of one file.

    Attributes:
        name: as the file has it.
        phrases: what is said in it, and what cannot be understood.
        whole: whether it is taken when no tier is named.
    """

    name: str
    phrases: tuple[Phrase | Problem, ...]
    whole: bool


def read_tiers(
    source: str, suffix: str, columns: Columns, parse: Callable[[Path], list[Tier]]
) -> Iterator[Row | Rejected]:
    """The rows of the wanted tiers of one file, or of every one in a folder.

    Args:
        source, suffix: as :func:`read_transcripts` has them.
        columns: ``text`` names tiers.
        parse: the tiers of one file; may raise :class:`UnreadableError`.

    Raises:
        ParlureError: no such source, none in the folder, or a named tier that no file has.
    """
    names = [name.strip() for name in (columns.text or "").split(",") if name.strip()]
    seen: dict[str, None] = {}

    def phrases(path: Path) -> Iterator[Phrase | Problem]:
        tiers = parse(path)
        seen.update(dict.fromkeys(tier.name for tier in tiers))
        wanted = [tier for tier in tiers if (_named(tier.name, names) if names else tier.whole)]
        if not wanted:
            listed = ", ".join(tier.name for tier in tiers) or "none"
            what = f"no tier {', '.join(names)}" if names else "no tier of phrases"
            raise UnreadableError(f"{path.name} has {what}; it has: {listed}" + ("" if names else " (--text NAME)"))
        for tier in wanted:
            yield from tier.phrases

    yield from read_transcripts(source, suffix, phrases)
    for name in names:
        if seen and not any(_named(tier, [name]) for tier in seen):
            close = difflib.get_close_matches(name, seen, n=1)
            listed = ", ".join(seen)
            raise ParlureError(
                f"{source} has no tier {name}; it has: {listed}", f"--text {(close or ['NAME'])[0]} names the right one"
            )


def speaker_of(tier: str) -> str | None:
    """Who speaks in a tier by its name: ``Marie`` for ``Marie``, ``tx@Marie`` and ``Marie - words``; None for ``text``.

    ``tx@Marie`` is how Toolbox and FieldWorks name tiers, ``Marie - words`` how the Montreal Forced Aligner does.
    """
    name = tier.strip()
    if "@" in name:
        name = name.rpartition("@")[2].strip()
    head, dash, tail = name.rpartition(" - ")
    if dash and _NO_NAME.fullmatch(tail.strip()):
        name = head.strip()
    return None if not name or _NO_NAME.fullmatch(name) else name


def holds_phrases(tier: str, beside: Collection[str]) -> bool:
    """Whether a tier's name says nothing of words or sounds, which repeat a tier of phrases in pieces, nor of notes.

    Args:
        tier: its name.
        beside: the names of all tiers of its file: MAU alone may be a person, beside ORT-MAU it is WebMAUS's sounds.
    """
    if tier in _MAUS and "ORT-MAU" in beside:
        return False
    return not _NO_PHRASE.fullmatch(tier.partition("@")[0].rpartition(" - ")[2].strip())


def is_transcription(tier: str) -> bool:
    """Whether a part of a tier's name says that it holds the transcription: ``tx@Marie``, ``Marie_phrase-txt-fr``."""
    return any(_TRANSCRIBED.fullmatch(part) and part != "phrase" for part in re.split("[@_ -]", tier))


def _named(tier: str, names: list[str]) -> bool:
    return any(tier == name or fnmatchcase(tier, name) for name in names)
