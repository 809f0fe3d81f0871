"""Beam search: Hugging Face's tokens, whatever the batch; limits, silence and loops as in greedy decoding."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor

from parlure.errors import ParlureError
from parlure.transcribing.beam import _Search
from parlure.transcribing.decode import Clip, DecodingOptions, decode
from parlure.transcribing.rows import Rules
from parlure.whisper.load import NANO

FR = DecodingOptions(language="fr", max_new_tokens=40, beam_size=5)
END = 9


def run(nano, clips, options=FR):
    return decode(nano.model, nano.tokenizer, clips, options)


@pytest.mark.parametrize(("n_beams", "n_tokens"), [(2, 40), (5, 40), (5, 6)])  # the last one stops before the end
def test_same_tokens_as_generate(nano, clips, n_beams, n_tokens):
    chosen = clips[:6]
    extractor = WhisperFeatureExtractor.from_pretrained(NANO)
    features = extractor([c.read() for c in chosen], sampling_rate=16_000, return_tensors="pt").input_features
    with torch.inference_mode():
        theirs = nano.model.generate(
            features, language="fr", task="transcribe", max_new_tokens=n_tokens, num_beams=n_beams, length_penalty=1.0
        )
    end = nano.model.generation_config.eos_token_id
    expected = [tuple(int(t) for t in row if t != end) for row in theirs]
    found = run(nano, chosen, replace(FR, beam_size=n_beams, max_new_tokens=n_tokens))
    assert [hypothesis.tokens for hypothesis in found] == expected
    assert [hypothesis.truncated for hypothesis in found] == [len(tokens) == n_tokens for tokens in expected]


def test_alone_and_together_agree(nano, clips):
    alone, together = (run(nano, clips[:5], replace(FR, batch_size=size, beam_size=3)) for size in (1, 5))
    assert [h.tokens for h in alone] == [h.tokens for h in together]
    for one, other in zip(alone, together, strict=True):
        assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=1e-5)


def test_silence_has_no_text(nano):
    silent = [Clip(str(i), 2.0, lambda: np.zeros(32_000, np.float32)) for i in range(2)]
    found = run(nano, silent, replace(FR, language=None))
    assert [(h.text, h.tokens, h.truncated, h.looped) for h in found] == [("", (), False, False)] * 2
    assert all(h.avg_logprob < 0 for h in found)


def search(steps, n_tokens=10, n_beams=2):
    """One search fed with candidates ``(logprob, origin, token)``; those after its end are not asked for."""
    none = torch.zeros(1)
    rules = Rules(END, 0, {}, none, none, n_tokens, 1.0, loop_guard=False)
    found = _Search(n_beams)
    for n_written, candidates in enumerate(steps, start=1):
        assert not found.over
        found.step(candidates, n_written, rules)
    return found


def test_an_end_counts_only_among_the_best():
    found = search([[(-1.0, 0, 1), (-2.0, 0, 2), (-3.0, 0, END), (-4.0, 0, 3)]])
    assert found.finished == [] and found.beams == [[1], [2]]
    found = search([[(-1.0, 0, 1), (-2.0, 0, END), (-3.0, 0, 2), (-4.0, 0, 3)]])
    assert [text.tokens for text in found.finished] == [[]] and found.beams == [[1], [2]]


def test_the_mean_decides_and_ends_the_search():
    steps = [
        [(-1.0, 0, 1), (-2.0, 0, END), (-3.0, 0, 2), (-4.0, 0, 3)],
        [(-1.5, 0, END), (-6.0, 0, 4), (-6.5, 1, 4), (-7.0, 1, 5)],  # -0.75 a token beats -2; -3 for what goes on
    ]
    found = search(steps)
    assert found.over
    assert [(text.tokens, text.worth) for text in found.finished] == [([1], -0.75), ([], -2.0)]


def test_no_beam():
    with pytest.raises(ParlureError, match="a search with 0 beams finds nothing") as caught:
        DecodingOptions(beam_size=0)
    assert caught.value.hint == "1 is greedy, 5 is usual"
