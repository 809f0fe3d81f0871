"""faster-whisper, unmodified, on nano converted by CTranslate2's own converter: the same text as torch.

faster-whisper pads the log-mels of a short clip with 0.0 up to 30 s where Hugging Face pads the waveform with silence,
so the two hear slightly different inputs; fed the same features they must agree on every clip.
"""

import logging

import ctranslate2
import numpy as np
import pytest
import torch
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim

from parlure.speech.calls import VARIANTS
from parlure.speech.synth import Voice, synthesize
from parlure.transcribing.decode import DecodingOptions, decode
from parlure.whisper.load import NANO

N_CLIPS = 50
TOKEN_LIMIT = 100
NUMBERS = ["deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize"]


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ct2") / "nano"
    logging.getLogger("transformers").setLevel(logging.ERROR)
    converter = ctranslate2.converters.TransformersConverter(
        str(NANO), copy_files=["tokenizer.json", "preprocessor_config.json"]
    )
    converter.convert(str(folder), quantization="float32")
    return WhisperModel(str(folder), device="cpu", compute_type="float32", cpu_threads=2)


@pytest.fixture(scope="module")
def sounds():
    """Short clean sentences by voices nano never heard."""
    texts = [
        f"Le train part {'demain' if i % 2 else 'ce soir'} à {NUMBERS[i % 12]} heures {NUMBERS[(i * 5 + 1) % 12]}."
        for i in range(N_CLIPS)
    ]
    return [
        synthesize(text, Voice(f"fr+{VARIANTS[i % len(VARIANTS)]}", rate_wpm=150 + i)) for i, text in enumerate(texts)
    ]


def test_it_is_multilingual(converted):
    assert converted.model.is_multilingual
    assert converted.hf_tokenizer.get_vocab_size() == 51_865


@pytest.mark.xfail(reason="nano is unsure of half of these voices, and then the padding decides: 33 of 50 agree")
def test_same_text_as_torch_on_95_percent(converted, sounds, nano):
    from parlure.transcribing.decode import Clip

    clips = [Clip(str(i), len(s) / 16_000, lambda s=s: s) for i, s in enumerate(sounds)]
    ours = [h.text for h in decode(nano.model, nano.tokenizer, clips, DecodingOptions(language="fr"))]
    theirs = []
    for sound in sounds:
        segments, info = converted.transcribe(
            sound, language="fr", beam_size=1, temperature=0.0, without_timestamps=True, no_speech_threshold=None,
            log_prob_threshold=None, compression_ratio_threshold=None, condition_on_previous_text=False,
        )  # fmt: skip
        assert info.language == "fr"
        theirs.append(" ".join(segment.text.strip() for segment in segments))
    agree = sum(a == b for a, b in zip(ours, theirs, strict=True))
    assert agree >= 0.95 * N_CLIPS, [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]


@torch.inference_mode()
def test_same_tokens_on_the_same_features(converted, sounds, nano):
    prompt = [50_258, 50_265, 50_359, 50_363]
    end = 50_257
    settings = nano.model.generation_config
    for start in range(0, N_CLIPS, 10):
        features = np.stack([pad_or_trim(converted.feature_extractor(s)[:, :-1]) for s in sounds[start : start + 10]])
        features = features.astype(np.float32)
        theirs = converted.model.generate(
            ctranslate2.StorageView.from_array(features), [prompt] * len(features), beam_size=1,
            max_length=2 * TOKEN_LIMIT, suppress_tokens=settings.suppress_tokens, suppress_blank=True,
        )  # fmt: skip
        ours = nano.model.generate(
            torch.from_numpy(features), language="fr", task="transcribe", max_new_tokens=TOKEN_LIMIT
        )
        expected = [[int(t) for t in row if t != end] for row in ours]
        assert [[t for t in found.sequences_ids[0] if t != end] for found in theirs] == expected
