"""The synthetic corpus: reproducible, aligned with its manifest, and made of words that nano never saw."""

import csv
import hashlib
import random
import re
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from parlure.errors import ParlureError
from parlure.scoring.normalize import get_profile
from parlure.speech import calls
from parlure.speech.calls import COLUMNS, SPAN_MARGIN_S, TURNS, VARIANTS, cast, make_calls
from parlure.speech.service_calls import DOMAIN_WORDS, call_turns, number
from parlure.speech.synth import variants
from parlure.speech.telephone import TELEPHONE_RATE

pytest.importorskip("espeakng_loader")
sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

N_CALLS = 3
WORD = re.compile(r"[^\W\d_]+")


def hashes(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows_of(manifest):
    with manifest.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    out = tmp_path_factory.mktemp("calls")
    done = []
    manifest = make_calls(out, n_calls=N_CALLS, seed=5, progress=lambda *state: done.append(state))
    assert done == [(1, 3), (2, 3), (3, 3)]
    return manifest


@pytest.fixture(scope="module")
def many_calls():
    rng = random.Random(0)
    return [call_turns(rng, rng.choice(TURNS)) for _ in range(80)]


def test_manifest(corpus):
    rows = rows_of(corpus)
    assert tuple(rows[0]) == COLUMNS
    assert N_CALLS * min(TURNS) <= len(rows) <= N_CALLS * max(TURNS)
    assert {row["language"] for row in rows} == {"fr"}
    assert {row["session"] for row in rows} == {"call-000", "call-001", "call-002"}
    assert all(row["text"][0].isupper() and re.search(r"(\w\.| \?)$", row["text"]) for row in rows)
    assert all((corpus.parent / row["audio"]).is_file() for row in rows)


def test_two_runs_give_the_same_bytes(corpus, tmp_path):
    make_calls(tmp_path, n_calls=N_CALLS, seed=5)
    assert hashes(tmp_path) == hashes(corpus.parent)


def test_another_seed_another_corpus_and_talkbank_style(corpus, tmp_path):
    other = rows_of(make_calls(tmp_path, n_calls=1, seed=6, talkbank_style=True))
    assert {row["text"] for row in other}.isdisjoint(row["text"] for row in rows_of(corpus))
    assert all(re.search(r" [.?]$", row["text"]) for row in other)
    assert not any(re.search(r"\S[!?.,;]|  ", row["text"]) for row in other)


def test_spans_hold_the_speech_and_the_other_channel_is_silent(corpus):
    level = lambda samples: 10 * np.log10(np.mean(samples**2) + 1e-12)  # noqa: E731
    margin = int(SPAN_MARGIN_S * TELEPHONE_RATE)
    for row in rows_of(corpus):
        samples, rate = soundfile.read(corpus.parent / row["audio"])
        assert (rate, samples.shape[1]) == (TELEPHONE_RATE, 2)
        begin, end = round(float(row["start"]) * rate), round(float(row["end"]) * rate)
        assert 0 <= begin < end <= len(samples)
        speaking, listening = samples[begin:end, int(row["channel"])], samples[begin:end, 1 - int(row["channel"])]
        assert level(speaking) > -38
        assert level(listening) < min(-45, level(speaking) - 12)
        edges = np.concatenate([speaking[: margin - 80], speaking[80 - margin :]])  # the filter smears 10 ms
        assert level(edges) < -40
        assert 1 <= (end - begin) / rate - 2 * SPAN_MARGIN_S <= 6


def test_turns_alternate_and_never_overlap(corpus):
    sessions = defaultdict(list)
    for row in rows_of(corpus):
        sessions[row["session"]].append(row)
    for rows in sessions.values():
        assert [row["channel"] for row in rows] == [str(place % 2) for place in range(len(rows))]
        assert all(float(a["end"]) < float(b["start"]) for a, b in pairwise(rows))
        assert len({(row["channel"], row["speaker"]) for row in rows}) == 2


def test_files_are_mulaw(corpus):
    assert {soundfile.info(path).subtype for path in (corpus.parent / "audio").iterdir()} == {"ULAW"}


def test_cast_of_many_small_circles():
    pairs = cast(64, random.Random(0))
    speakers = {speaker.name: speaker.voice for pair in pairs for speaker in pair}
    assert len(speakers) == 107
    assert len(set(speakers.values())) == len(speakers)
    in_calls = [sum(name in {speaker.name for speaker in pair} for pair in pairs) for name in speakers]
    assert set(in_calls) == {1, 2}
    assert in_calls.count(2) == 64 // 3
    for returning in (name for name, n_calls in zip(speakers, in_calls, strict=True) if n_calls == 2):
        circle = {speaker.name for pair in pairs if returning in {s.name for s in pair} for speaker in pair}
        assert sum(any(speaker.name in circle for speaker in pair) for pair in pairs) == 2


def test_voices_exist_and_nano_never_heard_them():
    from nano.voices import voice_names

    assert set(VARIANTS) <= set(variants())
    assert set(VARIANTS) <= set(voice_names()[1])


def test_no_domain_word_is_nanos():
    from nano.french import GRAMMAR

    assert len(DOMAIN_WORDS) >= 60
    assert DOMAIN_WORDS.isdisjoint(part for word in GRAMMAR.lexicon() for part in WORD.findall(word))


def test_words_recur_and_sentences_do_not(many_calls):
    train, test = many_calls[:60], many_calls[60:]
    learnt = [word for call in train for text in call for word in WORD.findall(text.lower())]
    assert np.mean([learnt.count(word) >= 2 for word in DOMAIN_WORDS]) > 0.85
    sentences = {text for call in train for text in call}
    tested = [text for call in test for text in call]
    assert np.mean([text in sentences for text in tested]) < 0.25  # what everybody says recurs
    assert np.mean([len(DOMAIN_WORDS.intersection(WORD.findall(text.lower()))) for text in tested]) > 1.1


def test_sentences_are_well_formed(many_calls):
    for text in (text for call in many_calls for text in call):
        assert re.fullmatch(r"[A-ZÀÉÇ][\w ,'-]*(\w\.| \?)", text), text
        assert not re.search(r"  |\b(de|à) les? |\b([Dd]e|[Ll][ea]|[Qq]ue) (?!onze)[aeéèêiouâô]", text), text
        assert 4 <= len(text.split()) <= 18


@pytest.mark.parametrize(
    "n", [0, 7, 16, 21, 22, 70, 71, 80, 81, 91, 99, 100, 101, 200, 280, 999, 1000, 1971, 2000, 9999]
)
def test_numbers_in_words_are_read_back_by_the_scorer(n):
    normalize = get_profile("fr").normalize
    assert normalize(number(n)) == normalize(str(n))


def test_what_the_user_can_mend(tmp_path):
    with pytest.raises(ParlureError, match="0 calls cannot be made") as caught:
        make_calls(tmp_path, n_calls=0)
    assert caught.value.hint == "ask for one call or more"
    with pytest.raises(ParlureError, match="-1 cannot seed the calls") as caught:
        make_calls(tmp_path, n_calls=1, seed=-1)
    assert caught.value.hint == "use a whole number from 0 on"
    (tmp_path / "file").write_text("")
    with pytest.raises(ParlureError, match=r"the calls cannot be written: .*file") as caught:
        make_calls(tmp_path / "file", n_calls=1)
    assert caught.value.hint == "choose another folder, or make room on the disk"


def test_a_child_that_dies_is_our_bug(tmp_path, monkeypatch):
    start = subprocess.Popen
    monkeypatch.setattr(calls.subprocess, "Popen", lambda _, **how: start([sys.executable, "-c", "exit(3)"], **how))
    with pytest.raises(RuntimeError, match="ended with 3"):
        make_calls(tmp_path, n_calls=1)
