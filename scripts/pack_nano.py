"""Put a trained nano into the package: weights, tokenizer, configurations, measured card.

    python scripts/pack_nano.py --work build/nano

The gates are measured with parlure's own decoding and normalisers on voices and sentences that nano never met, and
written into the card whether they are met or not.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from nano import supply
from nano import vocabulary as v
from nano.network import CompactNano
from train_nano import STAGES
from transformers import GenerationConfig, WhisperForConditionalGeneration, WhisperTokenizer
from transformers.models.whisper.tokenization_whisper import LANGUAGES

from parlure.scoring.normalize import get_profile, headline_profile
from parlure.scoring.rates import Counts, count_words
from parlure.speech.features import log_mel
from parlure.training.checkpoint import save_model
from parlure.transcribing import decode as decoding
from parlure.transcribing.decode import Clip, DecodingOptions, decode
from parlure.whisper.load import NANO, load

Window = Literal["full", "short"]


def generation_config(tokenizer: WhisperTokenizer) -> GenerationConfig:
    """As complete as the public checkpoints', so that stock ``generate`` works."""
    space = tokenizer.encode(" ", add_special_tokens=False)[0]
    return GenerationConfig(
        decoder_start_token_id=v.START_OF_TRANSCRIPT,
        bos_token_id=v.END_OF_TEXT,
        eos_token_id=v.END_OF_TEXT,
        pad_token_id=v.END_OF_TEXT,
        is_multilingual=True,
        lang_to_id={f"<|{code}|>": v.language_id(code) for code in list(LANGUAGES)[:99]},
        task_to_id={"transcribe": v.TRANSCRIBE, "translate": v.TRANSLATE},
        no_timestamps_token_id=v.NO_TIMESTAMPS,
        prev_sot_token_id=v.START_OF_PREVIOUS,
        max_initial_timestamp_index=50,
        begin_suppress_tokens=[space, v.END_OF_TEXT],
        suppress_tokens=v.suppressed_ids(tokenizer),
        alignment_heads=[[1, head] for head in range(4)],
        return_timestamps=False,
        max_length=448,
    )


def pack(work: Path, checkpoint: Path) -> None:
    """Expand the compact network and write the package's model folder."""
    tokenizer = WhisperTokenizer.from_pretrained(work / "tokenizer")
    v.check(tokenizer)
    vocab = tokenizer.get_vocab()
    n_own = min(index for token, index in vocab.items() if token.startswith("[unused"))
    compact = CompactNano(n_own)
    compact.load_state_dict(torch.load(checkpoint)["model"])
    model: WhisperForConditionalGeneration = compact.expand().half()
    model.generation_config = generation_config(tokenizer)
    shutil.rmtree(NANO, ignore_errors=True)
    save_model(model, tokenizer, NANO)


@dataclass(frozen=True)
class Measured:
    """WER in points of per cent with its counts."""

    what: str
    counts: Counts
    n: int

    def row(self) -> str:
        c = self.counts
        return f"| {self.what} | {c.rate:.1f} % | {self.n} | {c.S} / {c.D} / {c.I} / {c.N} |"


def word_errors(loaded, spoken: list[supply.Spoken], language: str, window: Window = "full") -> Counts:  # type: ignore[no-untyped-def]
    """Word errors under the language's headline profile; a Whisper falls apart in the short window."""
    clips = [
        Clip(str(i), one.duration_s, lambda one=one: one.samples.astype(np.float32) / 32768.0)  # type: ignore[misc]
        for i, one in enumerate(spoken)
    ]
    normalize = get_profile(headline_profile(language)).normalize
    found = decode(loaded.model, loaded.tokenizer, clips, DecodingOptions(language=language, window=window))
    total = Counts.zero()
    for one, hypothesis in zip(spoken, found, strict=True):
        total += count_words(normalize(one.text), normalize(hypothesis.text))
    return total


@torch.inference_mode()
def languages_right(loaded, spoken: list[supply.Spoken]) -> tuple[int, int]:  # type: ignore[no-untyped-def]
    """How many utterances of at least 2 s have their language identified."""
    long_enough = [one for one in spoken if one.duration_s >= 2]
    right = 0
    for start in range(0, len(long_enough), 16):
        part = long_enough[start : start + 16]
        waves = decoding.window_waves([one.samples.astype(np.float32) / 32768.0 for one in part])
        encoded = loaded.model.model.encoder(log_mel(waves)).last_hidden_state
        found = decoding.identify_language(loaded.model, loaded.tokenizer, encoded)
        right += sum(code == one.language for code, one in zip(found, part, strict=True))
    return right, len(long_enough)


def measure(work: Path, n_utterances: int) -> tuple[list[Measured], tuple[int, int]]:
    """All gates, on held-out voices and sentences."""
    loaded = load("nano")
    rows = []
    sentences = supply.read_shard(work / "supply" / "test-00000.npz")
    words = supply.read_shard(work / "supply" / "test-random-00000.npz")
    for language in ("fr", "en"):
        own = [one for one in sentences if one.language == language][:n_utterances]
        rows.append(Measured(f"{language}, sentences, 30 s", word_errors(loaded, own, language), len(own)))
        short = own[:100]
        at_30 = Measured(f"{language}, the first 100 of them, 30 s", word_errors(loaded, short, language), len(short))
        cut = Measured(
            f"{language}, the same, input cut to length + 0.5 s",
            word_errors(loaded, short, language, "short"),
            len(short),
        )
        random = [one for one in words if one.language == language][:n_utterances]
        rows += [
            at_30,
            cut,
            Measured(f"{language}, random word strings, 30 s", word_errors(loaded, random, language), len(random)),
        ]
    return rows, languages_right(loaded, sentences[: 2 * n_utterances])


_CARD = """# nano

A miniature Whisper that ships with parlure, for its demo, tests and continuous integration. It knows synthetic speech
only and is never to be used on people's speech.

{n_parameters:,} parameters: d = 160, 3 encoder layers, 2 decoder layers, 80 mels, 30 s windows; Whisper's architecture,
special ids and vocabulary size (51,865) with {n_own:,} entries of its own. Apache-2.0. Trained from nothing by

```
python scripts/train_nano.py --work build/nano
python scripts/pack_nano.py --work build/nano
```

on speech that espeak-ng synthesised: a grammar of everyday telephone talk in French and English, four in ten
utterances random word strings; 60 voice variants. The log is in `training_log.jsonl`.

{training}

## Measured

On 26 voice variants and on sentences that training never met; greedy, parlure's `fr` profile for French and `basic`
for English; torch, {machine}.

| what | WER | utterances | S / D / I / N |
|---|---|---|---|
{rows}

Language identification on utterances of at least 2 s: {right} of {n_right} ({share:.1f} %).

Not trained yet: translation.
"""


def write_card(work: Path, rows: list[Measured], language: tuple[int, int]) -> None:
    """The card, with whatever was measured."""
    log = [json.loads(line) for line in (work / "log.jsonl").read_text().splitlines()]
    hours = sum(row["s_per_step"] * 50 for row in log) / 3600
    training = ", ".join(f"{stage.n_steps:,} steps of {stage.name}" for stage in STAGES)
    loaded = load("nano")
    vocab = loaded.tokenizer.get_vocab()
    card = _CARD.format(
        n_parameters=sum(p.numel() for p in loaded.model.parameters()),
        n_own=min(index for token, index in vocab.items() if token.startswith("[unused")),
        training=f"In {hours:.1f} hours on two CPU cores: {training}.",
        machine=platform.machine(),
        rows="\n".join(row.row() for row in rows),
        right=language[0],
        n_right=language[1],
        share=100 * language[0] / language[1],
    )
    (NANO / "README.md").write_text(card, encoding="utf-8")
    (NANO / "training_log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="what train_nano.py made")
    parser.add_argument("--checkpoint", default="checkpoint.pt", help="which of its checkpoints")
    parser.add_argument("--utterances", type=int, default=400, help="test utterances per language and kind")
    options = parser.parse_args()
    pack(options.work, options.work / options.checkpoint)
    rows, language = measure(options.work, options.utterances)
    write_card(options.work, rows, language)
    print((NANO / "README.md").read_text())


if __name__ == "__main__":
    main()
