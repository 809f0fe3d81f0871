"""Where a report's numbers come from: the data, by its hash, and how the run that was judged was trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import Utterance

_HASHED = ("id", "text", "language", "task", "start", "end", "channel", "segments")
MAX_STEPS = 300  # points of the loss curve that are kept


def data_of(corpus: Path, split: str, utterances: Sequence[Utterance]) -> dict[str, Any]:
    """The report's ``data``: ``{"corpus", "split", "n_utterances", "hours", "utterances_sha256"}``.

    The hash is over ids, texts and places of the split's utterances, wherever their recordings lie.
    """
    rows = [[getattr(one, name) for name in _HASHED] for one in utterances]
    return {
        "corpus": corpus.resolve().name,
        "split": split,
        "n_utterances": len(utterances),
        "hours": round(sum(utterance.duration_s for utterance in utterances) / 3600, 4),
        "utterances_sha256": hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode("utf-8")).hexdigest(),
    }


def training_of(model: str) -> dict[str, Any] | None:
    """The report's ``training``: loss by step and dev WER by evaluation; None where the model is no run folder.

    Returns:
        ``{"steps": [{"step", "loss"}], "evaluations": [{"step", "wer"}], "best_step"}``; of many steps every n-th.
    """
    path = Path(model) / "metrics.jsonl"
    if not path.is_file():
        return None
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    steps = [{"step": row["step"], "loss": row["loss"]} for row in rows if row["kind"] == "step"]
    evaluations = [{"step": row["step"], "wer": row["wer"]} for row in rows if row["kind"] == "evaluation"]
    best_step = next((row.get("best_step") for row in reversed(rows) if row["kind"] == "evaluation"), None)
    return {"steps": steps[:: 1 + len(steps) // MAX_STEPS], "evaluations": evaluations, "best_step": best_step}
