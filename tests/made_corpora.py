"""Small corpora made line by line, for tests of what is done with one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from parlure.corpus.manifest import Corpus, Segment, Utterance, begin_corpus, finish_corpus, write_lines
from parlure.corpus.prepare import tallies


def said(name: str, text: str = "bonjour", start: float = 0.0, end: float = 2.0, **fields: Any) -> Utterance:
    """An utterance; its recording is ``/calls/NAME.wav`` unless given."""
    values: dict[str, Any] = {"recording": f"/calls/{name}.wav", "language": "fr"} | fields
    return Utterance(id=name, text=text, start=start, end=end, **values)


def make_corpus(folder: Path, *utterances: Utterance, **info: Any) -> Path:
    """Write a whole corpus."""
    begin_corpus(folder)
    write_lines(folder, utterances, [])
    finish_corpus(
        folder,
        {"sources": [], "licence": None, "split": {"group_by": ["speaker", "session"]}, **info} | tallies(utterances),
    )
    return folder


def ids(folder: Path) -> list[str]:
    """The ids of a corpus, in its order."""
    return [utterance.id for utterance in Corpus.load(folder).utterances]


def rejected(folder: Path) -> list[dict[str, Any]]:
    """The lines of ``rejected.jsonl``."""
    return [json.loads(line) for line in (folder / "rejected.jsonl").read_text(encoding="utf-8").splitlines()]


def noise(path: Path, duration_s: float = 2.0, seed: int = 1) -> Path:
    """A recording: 16 kHz mono noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).normal(0, 0.1, round(16_000 * duration_s))
    soundfile.write(path, samples, 16_000)
    return path


def five_utterances(tmp_path: Path) -> Path:
    """Five utterances: one of test, one with phrases, one that is a draft."""
    phrases = (Segment(0.0, 0.8, "oui bonjour"), Segment(1.0, 1.8, "le chat dort"))
    return make_corpus(
        tmp_path / "calls",
        said("a", "oui bonjour le chat dort", end=2.0, segments=phrases),
        said("b", "il neige encore", end=2.0, tags=("draft", "age=old")),
        said("c", "merci beaucoup", end=1.0, split="test", recording="/calls/one.wav"),
        said("d", "à demain", end=1.0, recording="/calls/one.wav", prompt="il a dit merci beaucoup", split="dev"),
        said("e", "au revoir", end=3.0),
    )
