"""A corpus → pieces longer than Whisper's window, with their text.

Where utterances lie behind each other in a recording, a piece is the recording from the first to the last of them, as
it is, pauses included: what somebody says there and the corpus does not hold counts as inserted, for every model alike.
Where a corpus has nothing of the kind (every utterance a file of its own), utterances of one session are joined with
half a second of silence between them: their true pauses are not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from parlure.corpus.manifest import Utterance
from parlure.scoring.skills.listening import Question
from parlure.speech.audio import SAMPLE_RATE, Samples, read_audio
from parlure.speech.features import WINDOW_S
from parlure.transcribing.decode import Clip

MAX_PAUSE_S = 15.0  # s; in a longer one a corpus has left something out
MAX_PIECE_S = 120.0  # s: several windows, and still many pieces to compare
MAX_TOTAL_S = 1800.0  # s of pieces at most: half an hour tells one system from another, and is decoded one by one
JOINED_PAUSE_S = 0.5  # s
_OVERLAP_S = 0.05  # s by which one utterance may reach into the next
RECORDINGS, JOINED = "recordings", "joined utterances"


@dataclass(frozen=True)
class Piece:
    """Some utterances behind each other.

    Attributes:
        utterances: in their order, of one language.
        made_from: :data:`RECORDINGS` or :data:`JOINED`.
    """

    utterances: tuple[Utterance, ...]
    made_from: str

    @property
    def id(self) -> str:
        """The first and the last utterance's."""
        return f"{self.utterances[0].id}..{self.utterances[-1].id}"

    @property
    def text(self) -> str:
        """What is said, as written."""
        return " ".join(u.text for u in self.utterances if u.text.strip())

    @property
    def duration_s(self) -> float:
        """Length in seconds, pauses included."""
        if self.made_from == RECORDINGS:
            return self.utterances[-1].end - self.utterances[0].start
        return sum(u.duration_s for u in self.utterances) + JOINED_PAUSE_S * (len(self.utterances) - 1)

    def samples(self) -> Samples:
        """Mono at 16 kHz."""
        first, last = self.utterances[0], self.utterances[-1]
        if self.made_from == RECORDINGS:
            return read_audio(first.recording, first.start, last.end, first.channel)
        pause = np.zeros(int(JOINED_PAUSE_S * SAMPLE_RATE), np.float32)
        sounds = [read_audio(u.recording, u.start, u.end, u.channel) for u in self.utterances]
        return np.concatenate([part for sound in sounds for part in (pause, sound)][1:])

    def question(self) -> Question:
        """The piece as something to decode."""
        spans = [[u.recording, u.start, u.end, u.channel] for u in self.utterances]
        clip = Clip(self.id, self.duration_s, self.samples)
        return Question(clip, self.utterances[0].language, "transcribe", (self.made_from, spans))


def pieces_of(corpus: Iterable[Utterance], chosen: Sequence[Utterance]) -> list[Piece]:
    """Pieces of more than 30 s out of the chosen utterances, at most half an hour in all.

    Args:
        corpus: all utterances: one that is not chosen ends the piece before it.
        chosen: those of the split. Where there are more pieces than half an hour holds, each session gives its first
            one before any gives its second.
    """
    wanted = {u.id for u in chosen if u.task == "transcribe"}
    pieces = [piece for chain in _chains(corpus, wanted) for piece in _cut(chain, RECORDINGS)]
    if not pieces:
        joinable: dict[tuple[str, str], list[Utterance]] = {}
        for u in chosen:
            if u.id in wanted and (owner := u.session or u.speaker):
                joinable.setdefault((owner, u.language), []).append(u)
        ordered = [sorted(own, key=lambda u: (u.recording, u.start)) for own in joinable.values()]
        pieces = [piece for chain in ordered for piece in _cut(chain, JOINED)]
    return _at_most(pieces, MAX_TOTAL_S)


def _chains(corpus: Iterable[Utterance], wanted: set[str]) -> Iterator[list[Utterance]]:
    """Wanted utterances of one language that follow each other in one channel of a recording."""
    by_channel: dict[tuple[str, int | None], list[Utterance]] = {}
    for u in corpus:
        by_channel.setdefault((u.recording, u.channel), []).append(u)
    for own in by_channel.values():
        chain: list[Utterance] = []
        for u in sorted(own, key=lambda u: u.start):
            if chain and not (u.id in wanted and _follows(chain[-1], u)):
                yield chain
                chain = []
            if u.id in wanted:
                chain.append(u)
        if chain:
            yield chain


def _follows(before: Utterance, after: Utterance) -> bool:
    pause_s = after.start - before.end
    return -_OVERLAP_S <= pause_s <= MAX_PAUSE_S and before.language == after.language


def _cut(chain: Sequence[Utterance], made_from: str) -> Iterator[Piece]:
    """As much as :data:`MAX_PIECE_S` takes, time and again; a rest is a piece too if it is longer than a window."""
    groups: list[Piece] = []
    for u in chain:
        grown = Piece((*groups[-1].utterances, u), made_from) if groups else None
        if grown is not None and grown.duration_s <= MAX_PIECE_S:
            groups[-1] = grown
        else:
            groups.append(Piece((u,), made_from))
    return (piece for piece in groups if piece.duration_s > WINDOW_S and piece.text)


def _at_most(pieces: Sequence[Piece], total_s: float) -> list[Piece]:
    """Pieces of no more than so many seconds, the first of every session before the second of any; order kept."""
    turn: dict[str | None, int] = {}
    ranked = []
    for index, piece in enumerate(pieces):
        owner = piece.utterances[0].session or piece.utterances[0].speaker
        turn[owner] = turn.get(owner, 0) + 1
        ranked.append((turn[owner], index))
    kept, spent_s = [], 0.0
    for _, index in sorted(ranked):
        if spent_s + pieces[index].duration_s <= total_s:
            kept.append(index)
            spent_s += pieces[index].duration_s
    return [pieces[index] for index in sorted(kept)]
