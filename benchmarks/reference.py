"""The recipe that people use, as its tutorial does it: what parlure is compared with.

Log-mels of 30 s are computed once and kept in an Arrow table; ``Seq2SeqTrainer`` reads a batch's rows as Python lists
and its collator pads them to tensors; LoRA sits on queries and values; sixteen utterances make a batch; precision is
fp32 on a CPU and fp16 on a GPU. The table is read with pyarrow as ``datasets`` does it, which need not be installed.
Labels keep their start token, before which the model puts another: so the tutorial trains.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from shapes import Shape, random_whisper
from torch.utils.data import Dataset
from transformers import (
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
    WhisperFeatureExtractor,
    WhisperTokenizer,
)
from turns import Turn
from workload import Speech, noise, sequence

from parlure.whisper.load import NANO, load_tokenizer

BATCH = 16
RANK, ALPHA, DROPOUT, TARGETS = 32, 64, 0.05, ("q_proj", "v_proj")


def extractor(shape: Shape) -> WhisperFeatureExtractor:
    """Hugging Face's log-mels, always of 30 s."""
    return WhisperFeatureExtractor(feature_size=shape.n_mels)


class Mels(Dataset[dict[str, Any]]):
    """An Arrow table of log-mels and labels, read row by row; it starts over at its end."""

    def __init__(self, path: Path, n_rows: int) -> None:
        self.table = pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
        self.n_rows = n_rows

    def __len__(self) -> int:
        return self.n_rows

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self.table.slice(index % self.table.num_rows, 1).to_pydict()
        return {name: values[0] for name, values in row.items()}


def store_mels(speeches: Sequence[Speech], shape: Shape, tokenizer: WhisperTokenizer, path: Path) -> int:
    """Compute and write the log-mels and labels; returns the bytes."""
    schema = pa.schema([("input_features", pa.list_(pa.list_(pa.float32()))), ("labels", pa.list_(pa.int64()))])
    mels = extractor(shape)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        for speech in speeches:
            features = mels(noise(speech) / 32_768, sampling_rate=16_000).input_features[0]
            columns = [pa.array([list(features)], schema.field(0).type), pa.array([sequence(speech, tokenizer)])]
            writer.write_batch(pa.record_batch(columns, schema=schema))
    return path.stat().st_size


class Collator:
    """Log-mels to a tensor, labels padded with -100; the start token goes only if it is the model's ``bos``."""

    def __init__(self, mels: WhisperFeatureExtractor, tokenizer: WhisperTokenizer) -> None:
        self.mels, self.tokenizer = mels, tokenizer

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        batch = self.mels.pad([{"input_features": row["input_features"]} for row in rows], return_tensors="pt")
        padded = self.tokenizer.pad([{"input_ids": row["labels"]} for row in rows], return_tensors="pt")
        labels = padded["input_ids"].masked_fill(padded.attention_mask.ne(1), -100)
        if (labels[:, 0] == self.tokenizer.bos_token_id).all():
            labels = labels[:, 1:]
        batch["labels"] = labels
        return batch


def with_adapters(shape: Shape, dtype: torch.dtype = torch.float32, gain: float = 1.0) -> PeftModel:
    """A random Whisper with LoRA as the tutorial puts it."""
    settings = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=list(TARGETS), lora_dropout=DROPOUT, bias="none")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return get_peft_model(random_whisper(shape, gain=gain).to(dtype), settings)


class InTurn(TrainerCallback):
    """Makes the trainer wait at the end of every few steps; the first step warms up and counts for nobody."""

    def __init__(self, turn: Turn, speeches: Sequence[Speech], n_steps: int, n_bytes: int) -> None:
        self.turn, self.n_steps = turn, n_steps
        n = n_steps * BATCH
        audio_s = sum(speech.duration_s for speech in speeches) * n / len(speeches)
        self.report = {"utterances": n, "audio_s": audio_s, "bytes": n_bytes / len(speeches)}

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Called by the trainer."""
        if (state.global_step - 1) % self.n_steps:
            return
        if state.global_step > 1:
            self.turn.worked(**self.report)
        if not self.turn.next():
            control.should_training_stop = True


def train(turn: Turn, *, shape: Shape, speeches: Sequence[Speech], n_steps: int) -> None:
    """A way of :mod:`turns`: so many steps a round of the tutorial's training."""
    tokenizer, cuda = load_tokenizer(str(NANO)), turn.device == "cuda"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mels.arrow"
        n_bytes = store_mels(speeches, shape, tokenizer, path)
        arguments = Seq2SeqTrainingArguments(
            output_dir=folder, per_device_train_batch_size=BATCH, learning_rate=1e-3, warmup_steps=50, max_steps=10**6,
            fp16=cuda, use_cpu=not cuda, remove_unused_columns=False, label_names=["labels"], logging_steps=25,
            save_strategy="no", eval_strategy="no", report_to=[], disable_tqdm=True,
        )  # fmt: skip
        trainer = Seq2SeqTrainer(
            args=arguments,
            model=with_adapters(shape, torch.float16 if cuda else torch.float32),
            train_dataset=Mels(path, 10**6),
            data_collator=Collator(extractor(shape), tokenizer),
            callbacks=[InTurn(turn, speeches, n_steps, n_bytes)],
        )
        trainer.model.config.use_cache = False
        trainer.train()
