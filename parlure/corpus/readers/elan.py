"""ELAN's annotation files (``.eaf``) → a row for each annotation of its tiers.

Taken are the tiers that hang on no other one; translations, glosses and words hang on them and are taken if ``--text``
names them. Where the first tier only numbers the phrases (``ref``, as Toolbox and FieldWorks have it), the
transcription that hangs on it is taken. A tier of a controlled vocabulary holds codes and is left out. A tier's
participant is its speaker, or that of the tier on which it hangs, or else who the tier's name says. The recording is
the one of the media descriptors that is there, audio before video.

The file is read here and not by pympi, which keeps no line numbers and gives no time to a slot without one; tests hold
the two against each other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from parlure.corpus.readers.beside import recording_beside
from parlure.corpus.readers.elan_times import Spans, UntimedError
from parlure.corpus.readers.elsewhere import spoken_language
from parlure.corpus.readers.language_names import is_code
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.corpus.readers.tiers import Tier, holds_phrases, is_transcription, read_tiers, speaker_of
from parlure.corpus.readers.timed import Phrase, Problem, UnreadableError, refuse_columns

# numbers of phrases: ref, ref@Marie, Marie_ref, Marie_phrase-segnum-en
_REFERENCE = re.compile(r"(ref|rf|id)(@.*)?|ref[_ -].*|(.*[_ -])(ref|segnum)([_ @-].*)?", re.IGNORECASE)
_VOCABULARY = "CONTROLLED_VOCABULARY_REF"
_LINE = "line"  # attribute under which an element keeps its line; the format has none of this name


def read_elan(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """A row for each annotation of the wanted tiers of a file, or of every ``.eaf`` in a folder.

    Args:
        source: file or folder.
        columns: ``text`` names the tiers to take; without it those are taken that hang on no other one.

    Raises:
        ParlureError: no such source, none in the folder, a tier that no file has, or another column is named.
    """
    refuse_columns(source, "ELAN", columns, known=("text",))
    yield from read_tiers(source, ".eaf", columns, _tiers)


@dataclass(frozen=True)
class _Media:
    """The recording of a file, and at how many seconds in it the annotations' time begins."""

    recording: Path
    origin_s: float


def _tiers(path: Path) -> list[Tier]:
    root = _parse(path)
    header = root.find("HEADER")
    units = "milliseconds" if header is None else header.get("TIME_UNITS", "milliseconds")
    if units != "milliseconds":
        raise UnreadableError(f"{path.name} counts time in {units}, not in milliseconds: save it with ELAN 4 or later")
    tiers = _by_name(path, "tiers", "TIER_ID", root.iter("TIER"))
    _by_name(path, "annotations", "ANNOTATION_ID", root.iterfind("TIER/ANNOTATION/*"))
    try:
        media, spans = _media(path, header), Spans(root)
    except ValueError as error:
        raise UnreadableError(f"{path.name} has a time that is no number: {error}") from error
    coded = {kind.get("LINGUISTIC_TYPE_ID") for kind in root.iter("LINGUISTIC_TYPE") if _VOCABULARY in kind.attrib}
    return [
        Tier(
            name,
            tuple(_phrases(tier, spans, media, _speaker(name, tiers))),
            whole=tier.get("LINGUISTIC_TYPE_REF") not in coded and _is_whole(name, tiers),
        )
        for name, tier in tiers.items()
    ]


def _is_whole(name: str, tiers: Mapping[str, Element]) -> bool:
    """Whether a tier is taken unasked: one that hangs on no other, or the transcription that hangs on mere numbers."""
    parent = tiers[name].get("PARENT_REF")
    if parent is None:
        return holds_phrases(name, tiers) and not _numbers(name, tiers)
    return parent in tiers and _numbers(parent, tiers) and is_transcription(name)


def _numbers(name: str, tiers: Mapping[str, Element]) -> bool:
    """Whether a tier hangs on no other, and is called as those are that number what hangs on them."""
    hang_on_it = any(tier.get("PARENT_REF") == name for tier in tiers.values())
    return hang_on_it and "PARENT_REF" not in tiers[name].attrib and _REFERENCE.fullmatch(name) is not None


def _by_name(path: Path, what: str, key: str, elements: Iterable[Element]) -> dict[str, Element]:
    """Elements by a name that the format wants to be unique.

    Raises:
        UnreadableError: two have the same: which one others mean cannot be told.
    """
    found: dict[str, Element] = {}
    for element in elements:
        name = element.get(key, "")
        if name in found:
            raise UnreadableError(f"{path.name} has two {what} called {name}", int(element.attrib[_LINE]))
        found[name] = element
    return found


def _phrases(tier: Element, spans: Spans, media: _Media, speaker: str | None) -> Iterator[Phrase | Problem]:
    """The annotations of a tier; those that divide one annotation of another tier, such as its words, are one."""
    code = spoken_language(tier.get("LANG_REF", ""))
    language = code if is_code(code) else None
    parts: dict[str, list[Element]] = {}
    for one in tier.iterfind("ANNOTATION/*"):
        try:
            parts.setdefault(spans.anchor(one.get("ANNOTATION_ID", "")), []).append(one)
        except UntimedError as error:
            yield Problem(int(one.attrib[_LINE]), _text([one]), str(error))
    for anchor, same in parts.items():
        line = int(same[0].attrib[_LINE])
        try:
            start, end = (round(media.origin_s + ms / 1000, 6) for ms in spans.of(anchor))
        except UntimedError as error:
            yield Problem(line, _text(same), str(error))
        else:
            raw = {"tier": tier.get("TIER_ID"), "annotation": same[0].get("ANNOTATION_ID")}
            yield Phrase(line, start, end, _text(same), speaker, language, recording=media.recording, raw=raw)


def _text(annotations: list[Element]) -> str:
    values = ((one.findtext("ANNOTATION_VALUE") or "").strip() for one in annotations)
    return " ".join(filter(None, values))


def _speaker(name: str, tiers: Mapping[str, Element]) -> str | None:
    """The participant of a tier, or of those on which it hangs; else who the name of the last one says."""
    seen: list[str] = []
    while name in tiers and name not in seen:
        seen.append(name)
        participant = tiers[name].get("PARTICIPANT", "").strip()
        if participant:
            return participant
        name = tiers[name].get("PARENT_REF", "")
    return speaker_of(seen[-1]) or speaker_of(seen[0])


def _media(path: Path, header: Element | None) -> _Media:
    described = [] if header is None else list(header.iterfind("MEDIA_DESCRIPTOR"))
    if header is not None and not described and header.get("MEDIA_FILE"):  # as ELAN wrote it before 2.0
        described = [Element("MEDIA_DESCRIPTOR", MEDIA_URL=header.get("MEDIA_FILE", ""))]
    described.sort(key=lambda media: not media.get("MIME_TYPE", "").startswith("audio"))
    for media in described:
        for name in _names(media):
            recording = recording_beside(path, name)
            if os.path.isfile(recording):  # noqa: PTH113 - Path would raise for a name longer than names can be
                return _Media(recording, float(media.get("TIME_ORIGIN") or 0) / 1000)
    names = [name for media in described for name in _names(media)]
    return _Media(recording_beside(path, Path(names[0].replace("\\", "/")).name if names else None), 0.0)


def _names(media: Element) -> Iterator[str]:
    """What a media descriptor calls its recording: relative to the file, then as its URL says."""
    for url in (media.get("RELATIVE_MEDIA_URL", ""), media.get("MEDIA_URL", "")):
        name = re.sub(r"^file:(//[^/]*)?", "", url)
        if name:
            yield unquote(name)
            if unquote(name) != name:
                yield name


def _parse(path: Path) -> Element:
    """The document's element; each element in it knows its line.

    Raises:
        UnreadableError: no XML, or not ELAN's.
    """
    content = path.read_bytes()
    if not content.strip():
        raise UnreadableError(f"{path.name} is empty", None, "empty_text")
    builder, parser = TreeBuilder(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, found: builder.start(tag, found | {_LINE: str(parser.CurrentLineNumber)})
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise UnreadableError(f"{path.name} line {error.lineno} is not XML: {what}", error.lineno) from error
    except LookupError as error:
        raise UnreadableError(f"{path.name} line 1 names an encoding that is not known: {error}", 1) from error
    root = builder.close()
    if root.tag != "ANNOTATION_DOCUMENT":
        raise UnreadableError(f"{path.name} is XML but not of ELAN: its root is {root.tag}", 1)
    return root
