"""What the bounds of ``parlure label`` are worth: WER of the kept texts, against all, on calls whose truth is known.

    python benchmarks/pseudo_labels.py --run build/corrections/run --work build/pseudo --seed 7     # some minutes

The calls are new, their speakers drawn anew from the same voices that the run was tuned on. A span's truth is what is
said in its channel between its ends. nano and espeak-ng's voices: this says whether the bounds choose, not how well
they do on your recordings.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from parlure.corpus.pseudo import Bounds
from parlure.scoring.normalize import get_profile
from parlure.scoring.rates import Counts, count_words
from parlure.speech.calls import make_calls
from parlure.speech.voice import SpanPolicy
from parlure.transcribing.label import label

CONFIDENCES = (0.0, 0.6, 0.7, 0.8)
DISAGREEMENTS = (1.0, 0.3, 0.1, 0.0)


def truths(manifest: Path) -> dict[str, list[dict[str, str]]]:
    """Recording → its turns."""
    found: dict[str, list[dict[str, str]]] = {}
    with manifest.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(str((manifest.parent / row["audio"]).resolve()), []).append(row)
    return found


def said_in(row: dict[str, Any], turns: list[dict[str, str]]) -> str:
    """What is said in a span: the turns of its channel whose middle lies in it."""
    own = [turn for turn in turns if int(turn["channel"]) == row["channel"]]
    return " ".join(t["text"] for t in own if row["start"] <= (float(t["start"]) + float(t["end"])) / 2 <= row["end"])


def main() -> None:
    """Make calls, hear them twice, and count errors under each pair of bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="the model: a run folder")
    parser.add_argument("--second", help="the second model; the same, 5 %% faster, when not given")
    parser.add_argument("--work", type=Path, required=True, help="folder to make")
    parser.add_argument("--seed", type=int, default=7, help="of the calls")
    parser.add_argument("--calls", type=int, default=15)
    options = parser.parse_args()
    calls = make_calls(options.work / "recordings", n_calls=options.calls, seed=options.seed)
    turns, out = truths(calls), options.work / "pseudo"
    recordings, policy = [Path(name) for name in turns], SpanPolicy(0.5)
    label(recordings, options.run, out, second=options.second, language="fr", policy=policy, bounds=Bounds(0.0, 1.0))
    figures = {row["id"]: row for row in map(json.loads, (out / "pseudo.jsonl").read_text().splitlines())}
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    rejected = [json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines()]
    rows = [row | figures[row["id"]] | {"kept": True} for row in rows]
    rows += [one["row"] | {"kept": False} for one in rejected]
    words = get_profile("fr").normalize
    for row in rows:
        place = str((out / row["recording"]).resolve())
        row["counts"] = count_words(words(said_in(row, turns[place])), words(row["text"]))
    print(f"{len(rows)} spans, {len(rejected)} of them broken off, repetitive or without text")
    print(f"all: WER {rate(rows)}")
    for confidence in CONFIDENCES:
        for disagreement in DISAGREEMENTS:
            kept = [
                r for r in rows if r["kept"] and r["confidence"] >= confidence and r["disagreement"] <= disagreement
            ]
            hours = sum(r["end"] - r["start"] for r in kept) / sum(r["end"] - r["start"] for r in rows)
            print(
                f"confidence {confidence}, disagreement {disagreement}: {len(kept)} kept, {hours:.0%} of the time, ",
                end="",
            )
            print(f"WER {rate(kept)}")


def rate(rows: list[dict[str, Any]]) -> str:
    """Word errors of all rows together, with their counts."""
    total = Counts.total(row["counts"] for row in rows)
    return f"{100 * total.edits / max(1, total.N):.1f} % ({total.S} {total.D} {total.I}, N {total.N})"


if __name__ == "__main__":
    main()
