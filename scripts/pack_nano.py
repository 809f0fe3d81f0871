"""Put a trained nano into the package: weights, tokenizer, configurations, measured card.

    python scripts/pack_nano.py --work build/nano

Every skill is measured with parlure's own decoding and normalisers on voices and sentences that nano never met, and
written into the card whether it is what was wanted or not.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
from pathlib import Path

import torch
from nano import vocabulary as v
from nano.measure import Row, measure
from nano.network import CompactNano
from train_nano import STAGES
from transformers import GenerationConfig, WhisperForConditionalGeneration, WhisperTokenizer
from transformers.models.whisper.tokenization_whisper import LANGUAGES

from parlure.training.checkpoint import save_model
from parlure.whisper.load import NANO, load


def generation_config(tokenizer: WhisperTokenizer, n_decoder_layers: int) -> GenerationConfig:
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
        alignment_heads=[
            [layer, head] for layer in range(n_decoder_layers // 2, n_decoder_layers) for head in range(4)
        ],
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
    compact.restore(torch.load(checkpoint)["model"])
    model: WhisperForConditionalGeneration = compact.expand().half()
    model.generation_config = generation_config(tokenizer, compact.n_decoder_layers)
    shutil.rmtree(NANO, ignore_errors=True)
    save_model(model, tokenizer, NANO)


_CARD = """# nano

A miniature Whisper that ships with parlure, for its demo, tests and continuous integration. It knows synthetic speech
only and is never to be used on people's speech.

{n_parameters:,} parameters: d = 160, 3 encoder layers, 3 decoder layers, 80 mels, 30 s windows; Whisper's architecture,
special ids and vocabulary size (51,865) with {n_own:,} entries of its own. Apache-2.0. Trained from nothing by

```
python scripts/train_nano.py --work build/nano
python scripts/pack_nano.py --work build/nano
```

on speech that espeak-ng synthesised: a grammar of everyday telephone talk in French and English, four in ten
utterances random word strings; a second grammar pairs French with English; 60 voice variants. The log is in
`training_log.jsonl`.

{training}

## Measured

On 26 voice variants and on sentences that training never met; greedy, parlure's `fr` profile for French and `en`
for English; in 30 s windows unless said otherwise; boundaries those of the segment that overlaps a phrase most; torch,
{machine}.

| what | measured | wanted | counted from |
|---|---|---|---|
{rows}
"""


def write_card(work: Path, rows: list[Row]) -> None:
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
        rows="\n".join(map(str, rows)),
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
    rows = []
    for row in measure(load("nano"), options.work / "supply", options.utterances):
        print(row, flush=True)
        rows.append(row)
    write_card(options.work, rows)


if __name__ == "__main__":
    main()
