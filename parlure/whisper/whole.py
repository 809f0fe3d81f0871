"""A run's adapter merged into its base, as ``from_pretrained`` takes it."""

from __future__ import annotations

from pathlib import Path

from transformers import WhisperFeatureExtractor

from parlure.whisper.load import load


def write_merged(run: Path, out: Path) -> None:
    """Weights, settings, tokenizer and log-mel settings of a run, in float32.

    Args:
        run: a run folder.
        out: the folder to write into.

    Raises:
        ParlureError: the run cannot be loaded.
    """
    loaded = load(str(run), "cpu")
    loaded.model.save_pretrained(str(out))
    loaded.tokenizer.save_pretrained(str(out))
    WhisperFeatureExtractor(feature_size=loaded.model.config.num_mel_bins).save_pretrained(str(out))
