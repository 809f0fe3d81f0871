"""Pieces of more than 30 s out of a corpus: which utterances, how they sound, how many."""

import numpy as np
import pytest

from parlure.corpus.manifest import Utterance
from parlure.scoring.skills.longform import JOINED, MAX_PIECE_S, RECORDINGS, Piece, pieces_of
from parlure.speech.audio import write_audio


def row(number, start, length=5.0, *, recording="a.wav", session="call", **more):
    return Utterance(id=f"u{number}", recording=recording, start=start, end=start + length, text=f"mot{number}",
                     language=more.pop("language", "fr"), session=session, speaker=more.pop("speaker", session),
                     split=more.pop("split", "test"), **more)  # fmt: skip


def in_a_row(n, pause=1.0, **more):
    return [row(number, number * (5.0 + pause), **more) for number in range(n)]


def names(pieces):
    return [[u.id for u in piece.utterances] for piece in pieces]


def test_a_recording_of_several_windows_is_one_piece_with_its_pauses():
    own = in_a_row(6)
    (piece,) = pieces_of(own, own)
    assert names([piece]) == [["u0", "u1", "u2", "u3", "u4", "u5"]]
    assert (piece.id, piece.made_from, piece.duration_s) == ("u0..u5", RECORDINGS, 35.0)
    assert piece.text == "mot0 mot1 mot2 mot3 mot4 mot5"


def test_what_fits_one_window_is_no_piece():
    own = in_a_row(5)  # 29 s
    assert pieces_of(own, own) == []


def test_a_long_recording_is_cut_between_utterances():
    own = in_a_row(50)
    pieces = pieces_of(own, own)
    assert [u.id for piece in pieces for u in piece.utterances] == [u.id for u in own][: 20 * len(pieces)]
    assert all(30.0 < piece.duration_s <= MAX_PIECE_S for piece in pieces)
    assert len(pieces) == 3


@pytest.mark.parametrize(
    "break_",
    [{"language": "en"}, {"split": "train"}, {"task": "translate"}, {"start": 40.0}, {"start": 30.5}],
    ids=["another language", "another split", "another task", "a long pause", "an overlap"],
)
def test_what_ends_a_piece(break_):
    own = in_a_row(6)
    changed = row(6, break_.pop("start", 36.0) if "start" in break_ else 36.0, **break_)
    if changed.start == 40.0:
        changed = row(6, 35.0 + 15.1)
    after = [row(number, 60.0 + 6 * number) for number in range(7, 10)]
    corpus = [*own, changed, *after]
    pieces = pieces_of(corpus, [u for u in corpus if u.split == "test"])
    assert names(pieces) == [["u0", "u1", "u2", "u3", "u4", "u5"]]


def test_channels_are_apart():
    one, other = in_a_row(6, channel=0), [row(10 + n, 6.0 * n + 5.0, 1.0, channel=1) for n in range(4)]
    (piece,) = pieces_of([*one, *other], [*one, *other])
    assert {u.channel for u in piece.utterances} == {0}


def test_files_of_their_own_are_joined_by_session():
    own = [row(n, 0.0, recording=f"{n % 3}.wav", session="ab"[n % 2]) for n in range(16)]
    pieces = pieces_of(own, own)
    assert {piece.made_from for piece in pieces} == {JOINED}
    assert [{u.session for u in piece.utterances} for piece in pieces] == [{"a"}, {"b"}]
    assert pieces[0].duration_s == pytest.approx(8 * 5.0 + 7 * 0.5)
    nobodys = [row(n, 0.0, recording=f"{n}.wav", session=None) for n in range(16)]
    assert pieces_of(nobodys, nobodys) == []


def test_half_an_hour_at_most_and_every_session_first(monkeypatch):
    monkeypatch.setattr("parlure.scoring.skills.longform.MAX_TOTAL_S", 120.0)
    own = [u for call in "ab" for u in in_a_row(100, recording=f"{call}.wav", session=call)]
    assert len(pieces_of(own, own)) == 1
    monkeypatch.setattr("parlure.scoring.skills.longform.MAX_TOTAL_S", 240.0)
    assert [piece.utterances[0].session for piece in pieces_of(own, own)] == ["a", "b"]


def test_how_pieces_sound(tmp_path):
    ramp = np.linspace(0.0, 0.5, 16_000 * 12).astype(np.float32)
    write_audio(tmp_path / "a.wav", ramp)
    one, two = (row(n, start, 2.0, recording=str(tmp_path / "a.wav")) for n, start in ((0, 1.0), (1, 8.0)))
    whole = Piece((one, two), RECORDINGS).samples()
    assert len(whole) == 9 * 16_000
    np.testing.assert_allclose(whole, ramp[16_000 : 10 * 16_000], atol=1e-4)
    joined = Piece((one, two), JOINED)
    sound = joined.samples()
    assert len(sound) == pytest.approx(joined.duration_s * 16_000) == 4.5 * 16_000
    assert not sound[2 * 16_000 : int(2.5 * 16_000)].any()
    np.testing.assert_allclose(sound[int(2.5 * 16_000) :], ramp[8 * 16_000 : 10 * 16_000], atol=1e-4)
    assert joined.question().source != Piece((one, two), RECORDINGS).question().source
