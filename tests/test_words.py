"""Times and probabilities of words, against the times at which espeak-ng begins them; and speech alone."""

import re

import numpy as np
import pytest
from word_times import timed

from parlure.errors import ParlureError
from parlure.speech.voice import Span
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.hypothesis import Hypothesis, Segment, Word
from parlure.transcribing.refining import Refining
from parlure.transcribing.spoken import Spoken
from parlure.transcribing.words import marked, reader_of, split_words

SENTENCES = [
    "Demain matin, un miroir est fragile.",
    "Nous arrivons demain matin.",
    "Merci beaucoup, bonne soirée.",
    "Le chat dort sur la table.",
    "Il fait froid dans la maison.",
    "Le train arrive à la gare.",
]
PAUSE_S = 0.75


@pytest.fixture(scope="module")
def told():
    """Sentences with pauses between them, and when each word begins in s."""
    pause, parts, begins = np.zeros(round(PAUSE_S * 16_000), np.float32), [], []
    for sentence, (sound, starts) in zip(SENTENCES, timed(SENTENCES), strict=True):
        at_s = sum(map(len, parts), len(pause)) / 16_000
        begins += zip(re.findall(r"\w+", sentence), (at_s + start for start in starts), strict=True)
        parts += [pause, 0.5 * sound]
    return np.concatenate([*parts, pause]), begins


@pytest.mark.parametrize("engine", ["torch", "ctranslate2"])
def test_words_begin_where_they_are_spoken(told, engine):
    if engine == "ctranslate2":
        pytest.importorskip("ctranslate2")
    samples, begins = told
    found = Refining(open_engine("nano", engine), DecodingOptions(language="fr"), words=True).decode_long("a", samples)
    words = [word for one in found.segments for word in one.words]
    errors = []
    for text, begin_s in begins:
        near = [w.start for w in words if w.text.strip(".,").casefold() == text.casefold()]
        errors += [min(abs(start - begin_s) for start in near)] if near else []
    assert len(errors) >= 0.9 * len(begins)  # nano hears nearly all of them
    assert np.median(errors) < 0.08
    assert np.percentile(errors, 90) < 0.3
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)  # none overlaps another or runs backwards
    assert times[0] >= 0 and times[-1] <= len(samples) / 16_000
    for one in found.segments:
        assert (one.start, one.end) == (one.words[0].start, one.words[-1].end)
        assert " ".join(word.text for word in one.words) == one.text
        assert 0 <= one.min_probability <= one.probability <= 1
        assert all(0 <= word.probability <= 1 for word in one.words)


def test_what_is_read_is_as_probable_as_what_was_decoded(nano, told):
    from parlure.transcribing.decode import Clip, decode
    from parlure.transcribing.reading import read

    samples = told[0][: 3 * 16_000]
    [found] = decode(nano.model, nano.tokenizer, [Clip("a", 3.0, lambda: samples)], DecodingOptions(language="fr"))
    reading = read(nano, samples, found.tokens, "fr", "transcribe")
    # avg_logprob holds the end too, and is among what may be said: nearly all of the probability here
    mean = float(np.log(reading.probabilities).sum()) / (len(found.tokens) + 1)
    assert mean == pytest.approx(found.avg_logprob, abs=0.05)
    assert len(reading.begins_s) == len(found.tokens) + 1
    assert list(reading.begins_s) == sorted(reading.begins_s)


def test_a_doubtful_word_is_marked():
    words = (Word(0.0, 1.0, "le", 0.9), Word(1.0, 2.0, "chat.", 0.3))
    before = Hypothesis("a", "le chat.", "fr", (Segment(0.0, 2.0, "le chat.", None, words),), None, None, (), False)
    after = marked(before, 0.5)
    assert (after.text, after.segments[0].text) == ("le chat. [?]",) * 2
    assert [word.text for word in after.segments[0].words] == ["le", "chat. [?]"]
    assert marked(before, 0.3).text == "le chat."


def test_a_phrase_that_goes_round_in_circles_stays_whole(nano):
    from parlure.transcribing.engines.with_torch import TorchEngine
    from parlure.transcribing.words import with_words

    phrases = (Segment(0.0, 29.0, "bonjour " * 500), Segment(29.0, 30.0, "oui."))
    before = Hypothesis("a", "", "fr", phrases, None, None, (), False)
    found = with_words(TorchEngine(nano), before, np.zeros(30 * 16_000, np.float32), "transcribe").segments
    assert found[0] == phrases[0]
    assert [word.text for word in found[1].words] == ["oui."]
    assert marked(before, 0.5).segments == phrases


class _Letters:
    """A tokenizer of one token a character, two for the first that is not ASCII."""

    class backend_tokenizer:  # noqa: N801
        @staticmethod
        def decode(ids):
            return bytes(ids).decode(errors="replace")


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        (" été, oui !", "fr", ["été,", "oui !"]),
        (" « Oui », dit-il (ou non).", "fr", ["« Oui »,", "dit-il", "(ou", "non)."]),
        (" - Non -", "fr", ["- Non -"]),
        (" ¿ Qué ?", "es", ["¿ Qué ?"]),
        (" 你好。", "zh", ["你", "好。"]),
        ("...", "fr", ["..."]),
    ],
)
def test_words_of_tokens(text, language, expected):
    found = split_words(_Letters, list(text.encode()), language)
    assert [word for word, _, _ in found] == expected
    assert [0, *(end for _, _, end in found)] == [*(first for _, first, _ in found), len(text.encode())]


def test_times_of_what_is_spoken_become_those_of_the_recording():
    spoken = Spoken(np.zeros(5 * 16_000, np.float32), (Span(10.0, 12.0), Span(20.0, 23.0)))
    words = (Word(1.5, 1.9, "a", 1.0), Word(1.9, 2.6, "b", 1.0), Word(2.6, 5.0, "c", 1.0))
    phrases = (Segment(0.0, 2.0, "x"), Segment(2.0, 5.0, "y"), Segment(1.5, 5.0, "a b c", None, words))
    found = spoken.placed(Hypothesis("a", "", "fr", phrases, None, None, (), False)).segments
    assert [(one.start, one.end) for one in found] == [(10.0, 12.0), (20.0, 23.0), (11.5, 23.0)]
    # one that crosses the cut stays where most of it is
    assert [(w.start, w.end) for w in found[2].words] == [(11.5, 11.9), (20.0, 20.6), (20.6, 23.0)]


def test_speech_alone(told):
    pytest.importorskip("faster_whisper")
    silence = np.zeros(10 * 16_000, np.float32)
    sentence = told[0][: round((told[1][6][1] - 0.3) * 16_000)]  # the first
    samples = np.concatenate([silence, sentence, silence, sentence, silence])
    asked = Refining(open_engine("nano"), DecodingOptions(language="fr"), words=True, vad=True)
    found = asked.decode_long("a", samples)
    assert len(Spoken.of(samples).samples) < 8 * 16_000
    begins = [word.start for one in found.segments for word in one.words if word.text.startswith("Demain")]
    again_s = 20 + len(sentence) / 16_000
    assert begins == [pytest.approx(10 + PAUSE_S, abs=0.3), pytest.approx(again_s + PAUSE_S, abs=0.3)]
    nobody = asked.decode_long("b", silence)
    assert (nobody.text, nobody.segments) == ("", ())


def test_what_is_no_whisper_has_no_words():
    class Other:
        model, tokenizer = "wav2vec2", None

    with pytest.raises(ParlureError) as caught:
        reader_of(Other())
    assert caught.value.message == (
        "times and probabilities of words come from Whisper's attention, which wav2vec2 does not show here"
    )
    assert (
        caught.value.hint == "leave out --timestamps word and --mark-below, or take a Whisper in torch or CTranslate2"
    )
