"""cpWER: the best matching of speakers, found again by trying all; files without speakers refused."""

from __future__ import annotations

import itertools
import json
import random
import sys

import pytest

from parlure import cli
from parlure.errors import ParlureError
from parlure.scoring.meeting import count_meeting, read_recordings, score_meeting
from parlure.scoring.rates import Counts, count_words


def by_trying_all(reference, hypothesis):
    """The fewest word errors over all matchings of the speakers, those without a match against nothing."""
    said, heard = list(reference.values()), list(hypothesis.values())
    size = max(len(said), len(heard))
    said, heard = said + [""] * (size - len(said)), heard + [""] * (size - len(heard))
    return min(
        sum(count_words(*pair).edits for pair in zip(said, order, strict=True))
        for order in itertools.permutations(heard)
    )


def test_it_is_the_best_of_all_matchings():
    pytest.importorskip("meeteval", reason="the extra meeting is not installed")
    rng = random.Random(3)

    def recording():
        return {
            str(speaker): " ".join(rng.choices("abcd", k=rng.randint(1, 5))) for speaker in range(rng.randint(1, 4))
        }

    for _ in range(60):
        reference, hypothesis = recording(), recording()
        found = count_meeting(reference, hypothesis)
        assert found.words.edits == by_trying_all(reference, hypothesis)
        assert sum(len(text.split()) for text in reference.values()) == found.words.N
        assert found.n_speakers - found.n_missed == len(hypothesis) - found.n_extra


@pytest.fixture
def files(tmp_path):
    said = ["r 1 anne 0 2 oui allô", "r 1 bob 1 3 ça va bien", "r 1 anne 4 5 au revoir", "q 1 anne 0 1 bon"]
    heard = [
        "r 1 S2 3.9 5 au revoir",
        "r 1 S1 1.1 3 ça va",
        "r 1 S2 0.1 2 Oui , allô",
        "q 1 S1 0 1 bon",
        "q 1 S2 0 1 euh",
    ]
    for name, lines in (("ref.stm", said), ("hyp.stm", heard)):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / "ref.stm", tmp_path / "hyp.stm"


def test_files_are_normalised_and_summed(files, capsys):
    pytest.importorskip("meeteval", reason="the extra meeting is not installed")
    found = score_meeting(*files, against=files[1], language="fr")
    assert found["fr"]["tuned"] == found["fr"]["base"] == {
        "cpwer": {"S": 0, "D": 1, "I": 1, "N": 8, "rate": 25.0},
        "speakers": {"n": 3, "missed": 0, "extra": 1},
    }  # fmt: skip
    assert found["raw"]["tuned"]["cpwer"]["I"] == 2
    arguments = ["score", *map(str, files), "--meeting", "--profile", "fr"]
    assert cli.run(arguments) == 0
    assert capsys.readouterr().out == (
        "fr     tuned cpWER 25.00 % (S 0, D 1, I 1, N 8); 3 speakers, 0 missed, 1 too many\n"
    )
    assert cli.run([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"fr": {"tuned": found["fr"]["tuned"]}}


def test_speakers_are_joined_in_the_order_of_time(files):
    assert read_recordings(files[1])["r"] == {"S2": "Oui , allô au revoir", "S1": "ça va"}
    (files[0].parent / "a.jsonl").write_text('{"id": "1", "session": "r", "speaker": "x", "text": "un"}\n')
    assert read_recordings(files[0].parent / "a.jsonl") == {"r": {"x": "un"}}


def test_without_the_extra_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "meeteval.wer", None)
    with pytest.raises(ParlureError, match="cpWER needs the package meeteval") as caught:
        count_meeting({"a": "un"}, {"b": "un"})
    assert caught.value.hint == 'pip install "parlure[meeting]"'


def test_files_that_cannot_be_matched_are_refused(files, tmp_path):
    trn, ctm, ignored, other = (tmp_path / name for name in ("a.trn", "a.ctm", "ignored.stm", "other.stm"))
    trn.write_text("oui (anne-1)\n")
    ctm.write_text("r 1 0 1 oui\n")
    ignored.write_text("r 1 anne 0 1 IGNORE_TIME_SEGMENT_IN_SCORING\n")
    other.write_text("r 1 anne 0 1 oui\n")
    for call, message, hint in (
        (
            lambda: read_recordings(trn),
            "a.trn: the utterance anne-1 names no recording or no speaker",
            "give an stm on both sides, or JSON lines with session, speaker, start and text",
        ),
        (lambda: read_recordings(ctm), "a.ctm names no speakers of recordings", "give an stm on both sides"),
        (
            lambda: read_recordings(ignored),
            "the segment r/1/anne/0.000-1.000 is marked to be ignored",
            "cpWER cannot leave out a stretch: remove it",
        ),
        (
            lambda: score_meeting(files[0], other),
            r"the recording q is in one of .* alone \(1 such recordings\)",
            "both sides must have the same recordings",
        ),
        (lambda: score_meeting(files[0], None), "cpWER needs a file of hypotheses", f"name it after {files[0]}"),
        (lambda: read_recordings(trn, "trm"), "there is no format called trm", "did you mean trn?"),
    ):
        with pytest.raises(ParlureError, match=message) as caught:
            call()
        assert caught.value.hint == hint


def test_counts_add():
    pytest.importorskip("meeteval", reason="the extra meeting is not installed")
    one, two = count_meeting({"a": "un deux"}, {"x": "un"}), count_meeting({"a": "un"}, {"x": "un", "y": "deux"})
    total = one + two
    assert (total.words, total.n_speakers, total.n_missed, total.n_extra) == (Counts(D=1, I=1, N=3), 2, 0, 1)
