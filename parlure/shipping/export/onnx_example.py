"""Transcribe a recording of up to 30 s with the two ONNX graphs in this script's folder.

    pip install numpy onnxruntime soundfile tokenizers
    python transcribe.py recording.wav fr

It needs neither torch nor parlure, and shows all there is to running the graphs: log-mels, the prompt, a loop over
tokens with their keys and values kept. It writes greedily and always writes something: the check whether anybody
speaks is left to the application, as is everything beyond 30 s.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import soundfile
from tokenizers import Tokenizer

SAMPLE_RATE, WINDOW_S = 16_000, 30
N_FFT, HOP_LENGTH = 400, 160  # samples
MAX_NEW_TOKENS = 224


def log_mel(samples: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """16 kHz samples of at most 30 s → Whisper's log-mels ``(1, n_mels, 3000)``; ``filters``: ``(201, n_mels)``."""
    window = np.zeros(WINDOW_S * SAMPLE_RATE)
    window[: len(samples)] = samples
    padded = np.pad(window, N_FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP_LENGTH][:-1]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    power = np.abs(np.fft.rfft(frames * hann)) ** 2
    decades = np.log10(np.maximum(power @ filters, 1e-10)).T
    scaled: np.ndarray = (np.maximum(decades, decades.max() - 8) + 4) / 4
    return scaled[None].astype(np.float32)


def transcribe(folder: Path, samples: np.ndarray, language: str, task: str = "transcribe") -> str:
    """The text of 16 kHz samples, mono, of at most 30 s."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    settings = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    encoder, decoder = (
        onnxruntime.InferenceSession(str(folder / name), providers=onnxruntime.get_available_providers())
        for name in ("encoder.onnx", "decoder.onnx")
    )
    features = log_mel(samples, np.load(folder / "mel_filters.npy"))
    heard = dict(
        zip([one.name for one in encoder.get_outputs()], encoder.run(None, {"input_features": features}), strict=True)
    )
    past: dict[str, Any] = {
        one.name: np.zeros((1, one.shape[1], 0, one.shape[3]), np.float32)
        for one in decoder.get_inputs()
        if one.name.startswith("past_")
    }
    control = ("<|startoftranscript|>", f"<|{language}|>", f"<|{task}|>", "<|notimestamps|>", "<|endoftext|>")
    *prompt, end = (tokenizer.token_to_id(token) for token in control)
    never = [id_ for id_ in settings.get("suppress_tokens") or [] if id_ != end]
    first_time = prompt[-1]  # <|notimestamps|>: behind it stand the timestamps
    ids = np.array([prompt])
    written: list[int] = []
    for _ in range(MAX_NEW_TOKENS):
        logits, *read = decoder.run(None, {"ids": ids, **past, **heard})
        past = dict(zip(past, read, strict=True))
        scores = logits[0, -1]
        scores[first_time:] = scores[never] = -np.inf
        if not written:
            scores[settings.get("begin_suppress_tokens") or []] = -np.inf
        token = int(scores.argmax())
        if token == end:
            break
        written.append(token)
        ids = np.array([[token]])
    return str(tokenizer.decode(written)).strip()


def main() -> None:
    """From the command line: a file, and a language's code."""
    path, language = sys.argv[1:]
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if rate != SAMPLE_RATE or len(samples) > WINDOW_S * rate:
        sys.exit(f"{path}: {rate} Hz, {len(samples) / rate:.1f} s; this script takes 16000 Hz and at most {WINDOW_S} s")
    sys.stdout.write(transcribe(Path(__file__).parent, samples.mean(axis=1), language) + "\n")


if __name__ == "__main__":
    main()
