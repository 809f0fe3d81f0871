"""Greedy decoding: Hugging Face's tokens, whatever the batch; limits and languages said plainly."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from parlure.errors import ParlureError
from parlure.speech.features import log_mel
from parlure.transcribing.decode import Clip, DecodingOptions, batches_of, decode, text_of, window_waves
from parlure.transcribing.loopguard import goes_round
from parlure.whisper.load import NANO
from parlure.whisper.prompt import SpecialTokens, encode_text

FR = DecodingOptions(language="fr", max_new_tokens=60)


def run(nano, clips, options=FR):
    return decode(nano.model, nano.tokenizer, clips, options)


def test_same_tokens_as_generate(nano, clips):
    chosen = clips[:12]
    extractor = WhisperFeatureExtractor.from_pretrained(NANO)
    features = extractor([c.read() for c in chosen], sampling_rate=16_000, return_tensors="pt").input_features
    with torch.inference_mode():
        theirs = nano.model.generate(features, language="fr", task="transcribe", max_new_tokens=60)
    end = nano.model.generation_config.eos_token_id
    expected = [tuple(int(t) for t in row if t != end) for row in theirs]
    assert [hypothesis.tokens for hypothesis in run(nano, chosen)] == expected


def test_a_prompt_is_read_as_generate_reads_it(nano, clips):
    """Tokens; and no speech is still asked for right after the start token, wherever that stands."""
    chosen, said = clips[:3], "demain matin, bonne soirée"
    extractor = WhisperFeatureExtractor.from_pretrained(NANO)
    features = extractor([c.read() for c in chosen], sampling_rate=16_000, return_tensors="pt").input_features
    before = nano.tokenizer.get_prompt_ids(said, return_tensors="pt")
    with torch.inference_mode():
        theirs = nano.model.generate(
            features, language="fr", task="transcribe", max_new_tokens=30, prompt_ids=before, return_timestamps=False
        )
        start = nano.model.generation_config.decoder_start_token_id
        inputs = torch.cat([before, torch.tensor([start])])[None].expand(len(chosen), -1)
        at_start = nano.model(features, decoder_input_ids=inputs).logits[:, -1].softmax(-1)
    prompted = replace(FR, max_new_tokens=30, prompt=said)
    found = run(nano, chosen, prompted)
    texts = [nano.tokenizer.decode(row, skip_special_tokens=True).strip() for row in theirs]
    assert [h.text for h in found] == [text.removeprefix(said).strip() for text in texts]
    expected = at_start[:, SpecialTokens.of(nano.tokenizer).no_speech].tolist()
    assert [h.no_speech_prob for h in found] == pytest.approx(expected, abs=1e-5)
    assert [h.tokens for h in found] != [h.tokens for h in run(nano, chosen, replace(prompted, prompt=None))]
    beams = run(nano, chosen, replace(prompted, beam_size=3))
    assert [h.no_speech_prob for h in beams] == pytest.approx(expected, abs=1e-5)


def test_a_prompt_is_never_cut(nano, clips):
    with pytest.raises(ParlureError, match="the prompt has 300 tokens, and Whisper reads 223") as caught:
        run(nano, clips[:1], replace(FR, prompt="!" * 299))
    assert caught.value.hint == "shorten it to its rarest words"


def test_batch_of_one_and_of_sixteen_agree(nano, clips):
    chosen = clips[:16]
    alone = run(nano, chosen, replace(FR, batch_size=1))
    together = run(nano, chosen, replace(FR, batch_size=16))
    assert [h.tokens for h in alone] == [h.tokens for h in together]
    for one, other in zip(alone, together, strict=True):
        assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=1e-4)
        assert one.no_speech_prob == pytest.approx(other.no_speech_prob, abs=1e-5)


def test_twice_as_many_short_windows_as_full_ones_are_decoded_together():
    clips = [Clip(str(i), 2.0, lambda: np.zeros(32_000, np.float32)) for i in range(9)]
    for window, sizes in (("full", [3, 3, 3]), ("short", [6, 3])):
        batches = [*batches_of(clips, DecodingOptions(window=window, batch_size=3))]
        assert [len(chosen) for _, chosen in batches] == sizes
        assert sorted(index for _, chosen in batches for index in chosen) == list(range(9))


def test_short_windows_follow_from_the_utterance_alone(nano, clips):
    short, chosen = replace(FR, window="short", max_new_tokens=20), clips[:6]
    alone = run(nano, chosen, replace(short, batch_size=1))
    assert [h.tokens for h in alone] == [h.tokens for h in run(nano, chosen, short)]
    assert [h.tokens for h in alone] != [h.tokens for h in run(nano, chosen, replace(short, window="full"))]


def test_a_window_is_as_long_as_asked_for():
    sound = np.ones(16_000, np.float32)
    assert window_waves([sound], 1.5).shape == (1, 24_000)
    with pytest.raises(ValueError, match=r"a clip of 1\.0 s does not fit a window of 0\.5 s"):
        window_waves([sound], 0.5)


def test_order_of_clips_is_kept_and_does_not_matter(nano, clips):
    chosen = clips[:6]
    forwards, backwards = run(nano, chosen), run(nano, chosen[::-1])
    assert [h.id for h in forwards] == [c.id for c in chosen]
    assert forwards == backwards[::-1] or [h.tokens for h in forwards] == [h.tokens for h in backwards[::-1]]


def test_token_limit_is_reported(nano, clips):
    found = run(nano, clips[:3], replace(FR, max_new_tokens=2))
    assert all(h.truncated and len(h.tokens) == 2 for h in found)
    assert not any(h.truncated for h in run(nano, clips[:3], replace(FR, max_new_tokens=200)))


def test_language_is_identified_when_not_given(nano, clips):
    found = run(nano, clips[:4], replace(FR, language=None))
    assert {h.language for h in found} <= {"fr", "en"}


def test_the_language_it_takes_it_for_is_known_whatever_is_pinned(nano, clips):
    """So the text that a free prompt would give is that of the prompt pinned to what was identified."""
    rng = np.random.default_rng(2)
    sounds = [rng.normal(0, 0.01 * i, 32_000).astype(np.float32) for i in range(1, 4)]
    noise = [Clip(str(i), 2.0, lambda sound=sound: sound) for i, sound in enumerate(sounds)]
    free = run(nano, [*clips[:3], *noise], replace(FR, language=None))
    pinned = {code: run(nano, [*clips[:3], *noise], replace(FR, language=code, identify=True)) for code in ("fr", "en")}
    for index, one in enumerate(free):
        assert one.identified == one.language
        assert {pinned[code][index].identified for code in pinned} == {one.language}
        assert pinned[one.language][index].tokens == one.tokens
    assert {one.identified for one in run(nano, clips[:2], FR)} == {None}


def test_progress_counts_clips(nano, clips):
    seen = []
    decode(nano.model, nano.tokenizer, clips[:5], replace(FR, batch_size=2), seen.append)
    assert seen == [2, 2, 1]


def test_nothing_to_decode(nano):
    assert run(nano, []) == []


def test_a_long_clip_is_refused_not_cut():
    with pytest.raises(ValueError, match=r"a clip of 30\.1 s does not fit a window of 30 s"):
        window_waves([np.zeros(481_600, np.float32)])


def test_silence_has_no_text(nano):
    rng = np.random.default_rng(1)
    sounds = [
        np.zeros(32_000, np.float32),
        *(rng.normal(0, level, 48_000).astype(np.float32) for level in (0.001, 0.02)),
    ]
    silent = [Clip(str(i), len(sound) / 16_000, lambda sound=sound: sound) for i, sound in enumerate(sounds)]
    for options in (FR, replace(FR, language=None)):
        found = run(nano, silent, options)
        assert [(h.text, h.tokens, h.truncated) for h in found] == [("", (), False)] * 3
        assert all(h.no_speech_prob > 0.6 for h in found)
    # unless the person wants whatever the model can say: the end is never its first token
    assert all(h.tokens for h in run(nano, silent, replace(FR, no_speech_threshold=1.0)))


def test_what_looks_like_a_timestamp_is_text(nano):
    special, said = SpecialTokens.of(nano.tokenizer), "le <|1.50|> temps <|fr|>"
    ids = encode_text(nano.tokenizer, said)
    assert text_of(nano.tokenizer, ids) == said
    around = [special.start, special.no_timestamps, special.timestamp_begin + 75, *ids, special.timestamp_begin + 1500]
    assert text_of(nano.tokenizer, [*around, special.end]) == said
    assert text_of(nano.tokenizer, [special.timestamp_begin, special.end]) == ""


def test_unknown_language(nano):
    silent = [Clip("a", 1.0, lambda: np.zeros(16_000, np.float32))]
    with pytest.raises(ParlureError, match="this Whisper has no language 'xx'"):
        run(nano, silent, replace(FR, language="xx"))


@pytest.fixture(scope="module")
def endless(nano):
    """Random weights that hardly ever end, with Whisper's lists of what is not said; and noise for them to hear."""
    torch.manual_seed(3)
    config = WhisperConfig(d_model=32, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, init_std=0.2,
                           decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32)  # fmt: skip
    model = WhisperForConditionalGeneration(config).eval()
    model.generation_config = nano.model.generation_config
    return model, [np.random.default_rng(i).normal(0, 0.1, 16_000).astype(np.float32) for i in range(2)]


def babble(endless, nano, **how):
    model, sounds = endless
    noise = [Clip(str(i), 1.0, lambda sound=sound: sound) for i, sound in enumerate(sounds)]
    return decode(model, nano.tokenizer, noise, replace(FR, no_speech_threshold=1.0, **how))


def test_the_448_positions_are_the_last_limit(nano, endless):
    found = babble(endless, nano, max_new_tokens=1000)
    model, sounds = endless
    with torch.inference_mode():
        features = log_mel(window_waves(sounds), 80)
        theirs = model.generate(features, language="fr", task="transcribe", max_length=448)
    assert [list(h.tokens) for h in found] == [row.tolist()[-444:] for row in theirs]
    assert all(h.truncated and len(h.tokens) == 444 for h in found)


@pytest.mark.parametrize("n_beams", [1, 2])
def test_the_guard_stops_what_goes_round(nano, endless, n_beams):
    free, guarded = (
        babble(endless, nano, max_new_tokens=200, beam_size=n_beams, loop_guard=on) for on in (False, True)
    )
    assert not any(h.looped for h in free)
    assert all(h.truncated and len(h.tokens) == 200 for h in free)
    assert all(h.looped and not h.truncated for h in guarded)
    for one, other in zip(free, guarded, strict=True):
        assert goes_round(other.tokens) and not goes_round(other.tokens[:-1])
        assert n_beams > 1 or other.tokens == one.tokens[: len(other.tokens)]
