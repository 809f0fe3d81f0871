"""The times of ELAN's annotations, also of those that have none of their own.

An annotation stands between two time slots, or refers to an annotation that does, and has its times. A slot may lack a
value. ELAN then divides the time between the nearest slots that have one into equal parts, and so is it done here: on a
tier that hangs on another one, along the annotations that share slots; on any other, in the order of ``TIME_ORDER``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from xml.etree.ElementTree import Element

_MAX_MS = 10**12  # 30 years


class UntimedError(Exception):
    """An annotation has no time, and none can be had from its neighbours."""


class Spans:
    """Start and end of every annotation of a document, in milliseconds.

    Args:
        root: the document.

    Raises:
        ValueError: the value of a slot is no number.
    """

    def __init__(self, root: Element) -> None:
        slots = [(slot.get("TIME_SLOT_ID", ""), slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")]
        self._value = {name: None if value is None else _milliseconds(value) for name, value in slots}
        order = [name for name, _ in slots]
        self._whole_chain = _Chain(list(pairwise(order)))
        self._annotation: dict[str, Element] = {}
        self._chain: dict[str, _Chain] = {}
        for tier in root.iter("TIER"):
            annotations = list(tier.iterfind("ANNOTATION/*"))
            chain = self._whole_chain
            if "PARENT_REF" in tier.attrib:
                chain = _Chain([_slots(one) for one in annotations if one.tag == "ALIGNABLE_ANNOTATION"])
            for one in annotations:
                self._annotation[one.get("ANNOTATION_ID", "")] = one
                self._chain[one.get("ANNOTATION_ID", "")] = chain

    def anchor(self, annotation: str) -> str:
        """The annotation with slots of its own to which one refers, directly or through others; or itself.

        Raises:
            UntimedError: there is none.
        """
        seen: set[str] = set()
        name = annotation
        while name in self._annotation and name not in seen:
            if self._annotation[name].tag == "ALIGNABLE_ANNOTATION":
                return name
            seen.add(name)
            name = self._annotation[name].get("ANNOTATION_REF", "")
        raise UntimedError(f"the annotation {annotation} refers to {name or 'nothing'}, which has no time")

    def of(self, anchor: str) -> tuple[float, float]:
        """Start and end of an annotation with slots of its own, in milliseconds.

        Raises:
            UntimedError: a slot has no time; the message says why.
        """
        start, end = _slots(self._annotation[anchor])
        return self._time(start, self._chain[anchor]), self._time(end, self._chain[anchor])

    def _time(self, slot: str, chain: _Chain) -> float:
        if slot not in self._value:
            raise UntimedError(f"there is no time slot {slot}")
        value = self._value[slot]
        if value is not None:
            return value
        before, n_before = chain.before.nearest(slot, self._known)
        after, n_after = chain.after.nearest(slot, self._known)
        if before is None or after is None:
            raise UntimedError(f"the time slot {slot} has no time, and none can be had from its neighbours")
        return before + (after - before) * n_before / (n_before + n_after)

    def _known(self, slot: str) -> int | None:
        return self._value.get(slot)


class _Chain:
    """Slots of which each one follows another."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.after = _Side(dict(pairs))
        self.before = _Side({second: first for first, second in pairs})


class _Side:
    """Where each slot of a chain has its neighbour, on one side."""

    def __init__(self, neighbour: dict[str, str]) -> None:
        self._neighbour = neighbour
        self._found: dict[str, tuple[int | None, int]] = {}

    def nearest(self, slot: str, value_of: Callable[[str], int | None]) -> tuple[int | None, int]:
        """The value of the nearest slot that has one, or None; and how many steps it is away.

        What is passed on the way is kept: of a file without times, every slot would pass half of the others.
        """
        passed: list[str] = []
        value, n_more = None, 0
        while slot in self._neighbour and len(passed) <= len(self._neighbour):
            if slot in self._found:
                value, n_more = self._found[slot]
                break
            passed.append(slot)
            slot = self._neighbour[slot]
            value = value_of(slot)
            if value is not None:
                break
        for n_steps, one in enumerate(reversed(passed), start=1):
            self._found[one] = (value, n_steps + n_more)
        return self._found[passed[0]] if passed else (value, n_more)


def _milliseconds(value: str) -> int:
    number = int(value)
    if abs(number) > _MAX_MS:
        raise ValueError(f"{value[:20]} ms")
    return number


def _slots(annotation: Element) -> tuple[str, str]:
    return annotation.get("TIME_SLOT_REF1", ""), annotation.get("TIME_SLOT_REF2", "")
