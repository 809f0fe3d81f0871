"""A recording of any length → phrases with times: sequential windows, each starting where the last phrase ended.

Whisper's own procedure (Radford et al. 2022, §4.5) by Hugging Face's ``generate``: without the previous text, so that
one window's mistake does not feed the next. The loop guard of short clips has no part in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.speech.audio import Samples
from parlure.speech.features import N_WINDOW_FRAMES, N_WINDOW_SAMPLES, log_mel
from parlure.transcribing.decode import LOGPROB_THRESHOLD, DecodingOptions, identify_language, text_of, window_waves
from parlure.transcribing.hypothesis import Hypothesis, Segment
from parlure.whisper.prompt import MAX_TOKENS, language_token, prompt_ids
from parlure.whisper.quiet import quiet
from parlure.whisper.terms import terms_prompt


@torch.inference_mode()
@quiet()
def decode_long(
    model: WhisperForConditionalGeneration,
    tokenizer: WhisperTokenizer,
    name: str,
    samples: Samples,
    options: DecodingOptions,
) -> Hypothesis:
    """Decode one recording with phrase timestamps.

    Args:
        model: in evaluation mode.
        tokenizer: the model's.
        name: the hypothesis's id.
        samples: 16 kHz, any length.
        options: how; the language is identified from the first window when none is given.
    """
    n_padded = max(N_WINDOW_SAMPLES, len(samples))
    wave = torch.zeros(1, n_padded - n_padded % 160 + 160 * bool(n_padded % 160))
    wave[0, : len(samples)] = torch.from_numpy(samples)
    features = log_mel(wave.to(model.device), model.config.num_mel_bins).to(model.dtype)
    language = options.language or first_language(model, tokenizer, samples)
    spoken = prompt_ids(tokenizer, language, options.task, timestamps=True)
    before = terms_prompt(tokenizer, options.terms)
    room = MAX_TOKENS - len(before) - len(spoken)
    output = model.generate(
        input_features=features,
        attention_mask=torch.ones(1, features.shape[-1], dtype=torch.long, device=model.device),
        language=language_token(tokenizer, language),
        task=options.task,
        return_timestamps=True,
        return_segments=True,
        condition_on_prev_tokens=False,
        no_speech_threshold=options.no_speech_threshold,
        logprob_threshold=LOGPROB_THRESHOLD,
        temperature=0.0,  # with the thresholds transformers 5.23 compares it
        # transformers 5.23 puts it before every window, for no window stands behind the one before
        prompt_ids=torch.tensor(before, device=model.device) if before else None,
        max_new_tokens=min(options.max_new_tokens, room) if features.shape[-1] > N_WINDOW_FRAMES else None,
        do_sample=False,
        num_beams=options.beam_size,
    )
    parts = output["segments"][0]
    phrases = [(float(part["start"]), float(part["end"]), [int(token) for token in part["tokens"]]) for part in parts]
    return of_phrases(tokenizer, name, language, phrases)


@torch.inference_mode()
def first_language(model: WhisperForConditionalGeneration, tokenizer: WhisperTokenizer, samples: Samples) -> str:
    """The language of a recording, identified from its first 30 s."""
    first = log_mel(window_waves([samples[:N_WINDOW_SAMPLES]]).to(model.device), model.config.num_mel_bins)
    encoded = model.model.encoder(first.to(model.dtype)).last_hidden_state
    return identify_language(model, tokenizer, encoded)[0]


def of_phrases(
    tokenizer: WhisperTokenizer, name: str, language: str, phrases: Iterable[tuple[float, float, Sequence[int]]]
) -> Hypothesis:
    """A hypothesis of phrases, each with start and end in seconds and tokens; one without text is no segment."""
    segments: list[Segment] = []
    tokens: list[int] = []
    for start_s, end_s, ids in phrases:
        tokens += ids
        if text := text_of(tokenizer, ids):
            segments.append(Segment(round(start_s, 2), round(end_s, 2), text))
    return Hypothesis(
        id=name,
        text=" ".join(segment.text for segment in segments),
        language=language,
        segments=tuple(segments),
        no_speech_prob=None,
        avg_logprob=None,
        tokens=tuple(tokens),
        truncated=False,
    )
