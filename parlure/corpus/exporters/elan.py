"""Corpus → ELAN's annotation files, one for each recording, which stays where it is and is named in the file.

A tier has a speaker as its participant; one who overlaps themself has several. An utterance without speech is an
empty annotation.

An ``.eaf`` holds texts, times in whole milliseconds, and speakers. It cannot hold language, task, session, split,
channel, phrases inside an utterance, prompt, tags and id.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from parlure.corpus.exporters.tiers import SpeakerTier, recordings_to_write
from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError

_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_MIME = {".wav": "audio/x-wav", ".mp3": "audio/mpeg", ".mp4": "video/mp4", ".m4a": "audio/mp4"}
_UNKNOWN = "transcript"  # the tier of a speaker who is not known
_NO_XML = {*map(chr, range(32)), "\ufffe", "\uffff"} - {"\t", "\n", "\r"}  # characters that XML cannot hold


def export_elan(corpus: Corpus, out: Path) -> None:
    """Write ``out/call.eaf`` for each recording.

    Raises:
        ParlureError: ``out`` is not empty, or a text has a character that XML cannot hold.
    """
    for recording, path, tiers in recordings_to_write(corpus, out, ".eaf"):
        ElementTree(elan(recording, path, tiers)).write(path, encoding="UTF-8", xml_declaration=True)


def elan(recording: Path, path: Path, tiers: Sequence[SpeakerTier], names: Sequence[str] | None = None) -> Element:
    """The content of a file.

    Args:
        recording: what it is of.
        path: where it is to lie: the recording is named from there too.
        tiers: a speaker each.
        names: of the tiers, all different; None calls each by its speaker.

    Raises:
        ParlureError: a text has a character that XML cannot hold.
    """
    root = Element("ANNOTATION_DOCUMENT", AUTHOR="", DATE=datetime.now(UTC).isoformat(timespec="seconds"))
    root.attrib |= {"FORMAT": "3.0", "VERSION": "3.0", "xmlns:xsi": _XSI, "xsi:noNamespaceSchemaLocation": _SCHEMA}
    header = SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    media = SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=recording.resolve().as_uri())
    media.set("MIME_TYPE", _MIME.get(recording.suffix.lower(), f"audio/{recording.suffix.lower().removeprefix('.')}"))
    media.set("RELATIVE_MEDIA_URL", Path(os.path.relpath(recording.resolve(), path.parent.resolve())).as_posix())
    order = SubElement(root, "TIME_ORDER")
    slots = _Slots()
    for name, tier in zip(names or _names(tiers), tiers, strict=True):
        _add_tier(root, slots, name, tier)
    slots.write(order)
    SubElement(root, "LINGUISTIC_TYPE", LINGUISTIC_TYPE_ID="default-lt", TIME_ALIGNABLE="true")
    indent(root)
    return root


class _Slots:
    """The begins and ends of annotations; numbered when all are known, since ELAN wants them in the order of time."""

    def __init__(self) -> None:
        self._ends: list[tuple[int, int, Element, str]] = []
        self.n_annotations = 0

    def annotate(self, annotation: Element, start_s: float, end_s: float) -> None:
        """Note when an annotation begins and ends, and give it its number."""
        self.n_annotations += 1
        annotation.set("ANNOTATION_ID", f"a{self.n_annotations}")
        for side, time_s in (("1", start_s), ("2", end_s)):
            self._ends.append((round(time_s * 1000), len(self._ends), annotation, f"TIME_SLOT_REF{side}"))

    def write(self, order: Element) -> None:
        """Fill ``TIME_ORDER``, and let the annotations name their slots."""
        for number, (time_ms, _, annotation, side) in enumerate(sorted(self._ends, key=lambda one: one[:2]), start=1):
            SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{number}", TIME_VALUE=str(time_ms))
            annotation.set(side, f"ts{number}")


def _names(tiers: Sequence[SpeakerTier]) -> list[str]:
    """Names of tiers, which have to differ: ``Marie``, ``Marie 2``."""
    names: list[str] = []
    for tier in tiers:
        name = wanted = tier.speaker or _UNKNOWN
        number = 1
        while name in names:
            number += 1
            name = f"{wanted} {number}"
        names.append(name)
    return names


def _add_tier(root: Element, slots: _Slots, name: str, tier: SpeakerTier) -> None:
    element = SubElement(root, "TIER", LINGUISTIC_TYPE_REF="default-lt", TIER_ID=name)
    if tier.speaker is not None:
        element.set("PARTICIPANT", tier.speaker)
    for utterance in tier.utterances:
        if _NO_XML & set(utterance.text + name):
            raise ParlureError(
                f"the text or speaker of {utterance.id} has a control character, which XML cannot hold", "take it out"
            )
        annotation = SubElement(SubElement(element, "ANNOTATION"), "ALIGNABLE_ANNOTATION")
        slots.annotate(annotation, utterance.start, utterance.end)
        SubElement(annotation, "ANNOTATION_VALUE").text = utterance.text
