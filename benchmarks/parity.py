"""Every target of ``parlure export`` against its model, on one corpus: texts, tokens, WER, times, speed and size.

    python benchmarks/parity.py nano --corpus CORPUS --work FOLDER [--targets ctranslate2 onnx:int8 …]

prints a table in Markdown, one row a part that is judged. The model is heard once, whatever the number of targets.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from parlure.console import Console
from parlure.scoring.skills import parity as listening
from parlure.shipping.export import export
from parlure.shipping.export import parity as judging

TARGETS = (
    "hf",
    "ctranslate2",
    "ctranslate2:float16",
    "ctranslate2:int8",
    "onnx",
    "onnx:int8",
    "ggml",
    "ggml:q8_0",
    "openai",
)
HEAD = "| target | features | texts the same | tokens the same | WER, model → export | points lost, 95 % | verdict | "
HEAD += "times move, median, 95 % | s of work an hour of sound, model → export | MB |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--work", type=Path, required=True, help="exports and reports; what is there is kept")
    parser.add_argument("--targets", nargs="+", default=TARGETS)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    print(HEAD)
    print("|" + " --- |" * HEAD.count(" |"), flush=True)
    for target in asked.targets:
        for row in rows(target, judged(asked, target)):
            print(row, flush=True)


def judged(asked: argparse.Namespace, target: str) -> dict[str, Any]:
    """The report on one target; exported and judged unless it is there."""
    folder = asked.work / target.replace(":", "-")
    to, _, numbers = target.partition(":")
    if not folder.exists():
        export(asked.model, folder, to=to, quantize=numbers or None)
    if not (folder / judging.PARITY).exists():
        for heard in asked.work.glob("decoding-original-*.jsonl"):
            shutil.copy(heard, folder)
        keep_what_the_model_heard(asked.work)
        with Console().bar(target) as advance:
            judging.parity(asked.model, folder, asked.corpus, split=asked.split, progress=advance)
    report: dict[str, Any] = json.loads((folder / judging.PARITY).read_text(encoding="utf-8"))
    return report


def keep_what_the_model_heard(work: Path) -> None:
    """Copy the model's journals as soon as it has been heard, before the report's end removes them."""
    real = listening.listen

    def listen(system: str, *rest: Any) -> listening.Listened:
        found = real(system, *rest)
        for journal in found.journals if system == "original" else ():
            shutil.copy(journal._path, work)
        return found

    judging.listen = listen


def rows(target: str, report: dict[str, Any]) -> list[str]:
    """A row for each part that is judged; the times are the timed part's, of the last."""
    timed = next(part for part in report["parts"] if part["timed"])
    found = []
    for part in report["parts"]:
        if part["timed"]:
            continue
        texts, interval, drift = part["texts"], part["comparison"]["ci95"], timed["drift"]
        heard = [part[system]["listened"] for system in ("original", "exported")]
        moves = part["features"] == timed["features"] and drift["median_s"] is not None
        cells = [
            target.replace(":", " "),
            f"{part['features']}, {heard[1]['engine']}",
            f"{texts['n_same']} of {texts['n']}",
            f"{part['tokens']['share']:.2f} %",
            " → ".join(f"{part[system]['rate']:.1f} %" for system in ("original", "exported")),
            f"{interval[0]:+.1f} to {interval[1]:+.1f}" if interval else "no interval",
            "passed" if part["passed"] else "failed",
            f"{drift['median_s']:.2f} s, {drift['p95_s']:.2f} s" if moves else "–",
            " → ".join(f"{how['work_s_per_audio_hour']:.0f}" for how in heard),
            f"{heard[1]['n_bytes'] / 1e6:.1f}",
        ]
        found.append(f"| {' | '.join(cells)} |")
    return found


if __name__ == "__main__":
    sys.exit(main())
