"""Rows → what becomes of each, in their order; recordings are heard on all cores, and what was heard before is not.

Rows go to other processes in lots of a second's work or so. A lot ends where a recording does, if that is not too far
off: what is learnt of a whole recording (how its channels relate) is then learnt once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from parlure.corpus.examine import Examiner, Taken
from parlure.corpus.heard import HeardBook
from parlure.corpus.hearing import MAX_UTTERANCE_S, Heard, Request, hear_all
from parlure.corpus.processes import in_order
from parlure.corpus.readers.row import Rejected, Row
from parlure.errors import ParlureError

LOT_S = 600.0  # s of sound: a lot may end here
_LONGEST_LOT = 4  # times that: it ends here
_MIN_S = 0.5  # s that any row counts as: opening a recording takes its time too


@dataclass(slots=True)
class _Asked:
    """A row, what has to be heard for it, and what was; or an error whose turn has not come."""

    row: Row | Rejected
    request: Request | None = None
    heard: Heard | None = None
    error: ParlureError | None = None

    def to_hear_s(self) -> float:
        """Seconds of sound that have to be heard for it."""
        if self.request is None or self.heard is not None or not isinstance(self.row, Row):
            return 0.0
        end = self.row.end
        if end is None:
            end = self.row.segments[-1].end if self.row.segments else (self.row.start or 0.0) + MAX_UTTERANCE_S
        return max(_MIN_S, end - (self.row.start or 0.0))


def examine_all(rows: Iterable[Row | Rejected], examiner: Examiner, book: HeardBook) -> Iterator[Taken | Rejected]:
    """What :meth:`parlure.corpus.examine.Examiner.examine` makes of each row, in the rows' order.

    Args:
        rows: taken some lots ahead; those rejected already stay so.
        examiner: says which can be used.
        book: what was heard before; what is heard now is added.

    Raises:
        ParlureError: as examining one row after the other would, at the same row.
    """
    under_way: deque[list[_Asked]] = deque()

    def jobs() -> Iterator[list[Request]]:
        for lot in _lots(_ask(row, examiner, book) for row in rows):
            under_way.append(lot)
            yield [one.request for one in lot if one.request is not None and one.heard is None]

    for answers in in_order(partial(hear_all, examiner.hearer), jobs()):
        lot, answered = under_way.popleft(), iter(answers)
        added = []
        for one in lot:
            if one.request is not None and one.heard is None:
                one.heard = next(answered)
                added.append((one.request, one.heard))
        book.add(added)
        for one in lot:
            yield _judge(one, examiner)


def _ask(row: Row | Rejected, examiner: Examiner, book: HeardBook) -> _Asked:
    if isinstance(row, Rejected):
        return _Asked(row)
    try:
        request = examiner.ask(row)
    except ParlureError as error:
        return _Asked(row, error=error)
    return _Asked(request) if isinstance(request, Rejected) else _Asked(row, request, book.find(request))


def _judge(one: _Asked, examiner: Examiner) -> Taken | Rejected:
    if one.error is not None:
        raise one.error
    if isinstance(one.row, Rejected):
        return one.row
    assert one.request is not None and one.heard is not None
    return examiner.judge(one.row, one.request, one.heard)


def _lots(asked: Iterable[_Asked]) -> Iterator[list[_Asked]]:
    """Rows in lots of about as much work, those of one recording together where they stand together."""
    lot: list[_Asked] = []
    seconds = 0.0
    for one in asked:
        is_full = seconds >= LOT_S or len(lot) >= LOT_S / _MIN_S
        if lot and is_full and (seconds >= _LONGEST_LOT * LOT_S or not _of_one_recording(lot[-1], one)):
            yield lot
            lot, seconds = [], 0.0
        lot.append(one)
        seconds += one.to_hear_s()
    if lot:
        yield lot


def _of_one_recording(one: _Asked, other: _Asked) -> bool:
    if one.request is None or other.request is None:
        return False
    return one.request.recording == other.request.recording
