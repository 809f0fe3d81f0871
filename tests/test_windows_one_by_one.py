"""Windows of a recording one at a time: the phrases of ``generate``, in both engines, and words with times."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from spoken import spoken

from parlure.errors import ParlureError
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.engines.interface import TimedEngine
from parlure.transcribing.engines.with_torch import TorchEngine
from parlure.transcribing.windows import text_ids
from parlure.transcribing.words import words_in

SENTENCES = ["Demain matin, un miroir est fragile.", "Nous arrivons demain matin.", "Merci beaucoup, bonne soirée."]
FR = DecodingOptions("fr")


@pytest.fixture(scope="module")
def sound():
    pause = np.zeros(12_000, np.float32)
    return np.concatenate([part for one in spoken(SENTENCES) for part in (one, pause)])


@pytest.fixture(scope="module")
def engines(nano, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield TorchEngine(nano), open_engine("nano", "ctranslate2")


def test_windows_are_those_of_generate(nano, engines, sound):
    whole = engines[0].decode_long("x", sound, DecodingOptions(None))
    for engine in engines:
        assert isinstance(engine, TimedEngine)
        windows = list(engine.windows(sound, DecodingOptions(None)))
        phrases = [phrase for window in windows for phrase in window.phrases]
        assert [(p.start, p.end, p.text) for p in phrases if p.text] == [
            (s.start, s.end, s.text) for s in whole.segments
        ]
        tokens = [token for window in windows for token in window.text_tokens]
        assert text_ids(nano.tokenizer, tokens) == text_ids(nano.tokenizer, whole.tokens)
        assert {window.language for window in windows} == {"fr"}


def test_later_windows_are_those_of_the_other_engine(engines, sound):
    """Whose long recordings are held against ``generate`` in test_engines.py."""
    long = np.concatenate([sound] * 5)
    ours, theirs = (list(engine.windows(long, FR)) for engine in engines)
    assert len(ours) == 2 and ours[1].place.start > 2_000
    for one, other in zip(ours, theirs, strict=True):
        assert (one.place, one.phrases) == (other.place, other.phrases)
    assert ours[0].place.next == ours[1].place.start
    assert [one.is_last(long) for one in ours] == [False, True]


def test_both_engines_are_equally_sure(engines, sound):
    ours, theirs = (next(iter(engine.windows(sound[:80_000], FR))) for engine in engines)
    assert ours.avg_logprob == pytest.approx(theirs.avg_logprob, abs=1e-3)
    assert ours.no_speech_prob == pytest.approx(theirs.no_speech_prob, abs=1e-3)


def test_silence_has_no_phrase(engines):
    for engine in engines:
        (window,) = engine.windows(np.zeros(16_000, np.float32), FR)
        assert not [phrase for phrase in window.phrases if phrase.text] and window.no_speech_prob > 0.6


def test_a_prompt_stands_before_the_first_window_alone(engines, sound):
    long, told = (
        np.concatenate([sound] * 5),
        DecodingOptions("fr", prompt="Une carte postale, merci.", max_new_tokens=12),
    )
    for engine in engines:
        first, second = islice(engine.windows(long, told), 2)
        plain, behind = islice(engine.windows(long, replace(told, prompt=None)), 2)
        assert first.avg_logprob != plain.avg_logprob
        assert first.text_tokens == plain.text_tokens and second == behind
        with pytest.raises(ParlureError, match="the prompt has"):
            next(iter(engine.windows(sound, DecodingOptions("fr", prompt="mot " * 300))))


def test_words_lie_within_what_is_spoken(engines, sound):
    for engine in engines:
        window = next(iter(engine.windows(sound, FR)))
        words = words_in(engine, window, sound, "transcribe")
        spelled = " ".join(phrase.text for phrase in window.phrases if phrase.text)
        assert " ".join(word.text for word in words) == spelled
        starts = [word.start for word in words]
        assert starts == sorted(starts) and all(word.start <= word.end for word in words)
        firsts = [next(word.start for word in words if word.text == text) for text in ("Demain", "Nous", "Merci")]
        assert firsts == pytest.approx([0.0, 2.6, 4.53], abs=0.15)  # where each sentence was put
