"""Labels: one start token, the prompt unscored, control tokens never from text, 448 the limit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from parlure.errors import ParlureError
from parlure.whisper.load import NANO, load_tokenizer
from parlure.whisper.prompt import IGNORED, SpecialTokens, encode_labels, encode_text, prompt_ids

TOKENIZER = load_tokenizer(str(NANO))
SPECIAL = SpecialTokens.of(TOKENIZER)


def labels(text, **kwargs):
    return encode_labels(TOKENIZER, text, utterance_id="u1", language="fr", **kwargs)


def test_special_ids_are_the_public_ones():
    expected = SpecialTokens(50_258, 50_257, 50_361, 50_362, 50_359, 50_358, 50_363, 50_364)
    assert expected == SPECIAL
    assert prompt_ids(TOKENIZER, "fr", "transcribe") == [50_258, 50_265, 50_359, 50_363]
    assert prompt_ids(TOKENIZER, "en", "translate", timestamps=True) == [50_258, 50_259, 50_358]


@pytest.mark.parametrize(
    "kwargs",
    [{}, {"previous": "avant cela"}, {"segments": [(0.0, 1.0, "oui"), (1.2, 2.0, "non")]}, {"task": "translate"}],
)
def test_the_decoder_sees_exactly_one_start_token(kwargs):
    made = labels("Oui, non.", **kwargs)
    assert made.inputs.count(SPECIAL.start) == 1
    assert SPECIAL.start not in made.targets
    assert made.targets[-1] == SPECIAL.end
    assert len(made.inputs) == len(made.targets)


def test_inputs_and_targets_by_hand():
    text = encode_text(TOKENIZER, "Bonjour.")
    made = labels("Bonjour.")
    assert made.inputs == (50_258, 50_265, 50_359, 50_363, *text)
    assert made.targets == (IGNORED, IGNORED, IGNORED, *text, 50_257)
    assert made.n_scored == len(text) + 1


def test_previous_text_bears_no_loss():
    before = encode_text(TOKENIZER, "avant cela")
    made = labels("Oui.", previous="avant cela")
    assert made.inputs[: len(before) + 1] == (50_361, *before)
    assert set(made.targets[: len(before) + 4]) == {IGNORED}
    assert made.n_scored == labels("Oui.").n_scored


def test_long_previous_text_keeps_its_end():
    made = labels("Oui.", previous="un " * 500 + "fin")
    assert made.inputs[1:224][-2:] == tuple(encode_text(TOKENIZER, "un fin"))[-2:]
    assert len(made.inputs) < 240


def test_previous_text_leaves_room_for_the_text():
    made = labels("z" * 420, previous="un " * 500 + "fin")
    alone = labels("z" * 420)
    assert made.targets[-len(alone.targets) :][3:] == alone.targets[3:]
    assert len(alone.inputs) < len(made.inputs) <= 447


def test_timestamps():
    made = labels("ignored", segments=[(0.0, 1.0, "oui"), (1.24, 2.0, "non")])
    stamps = [t - SPECIAL.timestamp_begin for t in made.targets if t >= SPECIAL.timestamp_begin]
    assert stamps == [0, 50, 62, 100]
    assert SPECIAL.no_timestamps not in made.inputs


def test_a_phrase_outside_the_window_is_refused_by_id():
    assert max(labels("x", segments=[(29.0, 30.004, "oui")]).targets) == SPECIAL.timestamp_begin + 1500
    for start_s, end_s in ((29.5, 30.02), (-0.1, 1.0), (2.0, 1.0)):
        with pytest.raises(
            ParlureError, match=f"utterance u1 has a phrase from {start_s:g} to {end_s:g} s, Whisper hears 0 to 30 s"
        ) as caught:
            labels("x", segments=[(0.0, 1.0, "non"), (start_s, end_s, "oui")])
        assert caught.value.hint.startswith("times of phrases count in seconds from the utterance's start; split what")


def test_no_speech():
    made = labels("")
    assert made.inputs == (50_258, 50_265, 50_359, 50_363)
    assert made.targets == (SPECIAL.no_speech, IGNORED, IGNORED, SPECIAL.end)


def test_too_long_is_refused_by_id():
    with pytest.raises(ParlureError, match=r"utterance u1 has 4\d\d label tokens, Whisper takes 448") as caught:
        labels("z" * 460)
    assert caught.value.hint == "split it into shorter spans, or check that its transcript belongs to its audio"


def test_unknown_language_and_task():
    with pytest.raises(ParlureError, match="this Whisper has no language 'qc'") as caught:
        encode_labels(TOKENIZER, "a", utterance_id="u", language="qc")
    assert caught.value.hint == "give its code: fr, en, de, …"
    with pytest.raises(ParlureError, match="there is no task 'sing'") as caught:
        labels("a", task="sing")
    assert caught.value.hint == "use transcribe or translate"


@pytest.mark.parametrize("text", ["<|endoftext|>", "a <|fr|> b", "<|0.00|> c <|30.00|>", "<|<|notimestamps|>|>"])
def test_text_never_becomes_a_control_token(text):
    ids = encode_text(TOKENIZER, text)
    assert max(ids) < 50_256
    # WhisperTokenizer.decode takes timestamps out of the finished text; the ids are what counts
    assert TOKENIZER.backend_tokenizer.decode(ids).strip() == text


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_text_round_trips(text):
    ids = encode_text(TOKENIZER, text)
    assert all(id_ < 50_256 for id_ in ids)
    assert TOKENIZER.backend_tokenizer.decode(ids) == " " + text.strip()


def test_tokenizer_without_whispers_tokens():
    class Bare:
        backend_tokenizer = Tokenizer(WordLevel({"<|endoftext|>": 0}))

    with pytest.raises(ParlureError, match=r"the tokenizer has no token <\|notimestamps\|>") as caught:
        SpecialTokens.of(Bare())  # type: ignore[arg-type]
    assert caught.value.hint == "use the tokenizer of a multilingual Whisper"
