"""A corpus → what is wrong with it, before any GPU hour is spent: what the command ``parlure check`` does.

Rules read the manifest, then the recordings (each once, on all cores), then listen with a model if one is handed down.
Nothing of the corpus is changed. Into the folder of the check go ``check.json``, ``reasons.csv`` (a line for each
utterance and reason), ``check.html``, and ``cache/``, by which the next check reads nothing twice.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parlure.corpus.check.audio import check_audio
from parlure.corpus.check.copies import check_copies
from parlure.corpus.check.findings import Finding, Ledger, duration
from parlure.corpus.check.judging import Ears, check_hearing, check_tokens, least_tokens, most_tokens
from parlure.corpus.check.listening import listen
from parlure.corpus.check.numbers import Distributions, distributions
from parlure.corpus.check.rules import RULES, SEVERITIES, Rule, chosen_rules
from parlure.corpus.check.splits import check_splits
from parlure.corpus.check.text import check_spacing, check_texts
from parlure.corpus.check.timing import check_timing
from parlure.corpus.check.writing import check_writing
from parlure.corpus.manifest import Corpus
from parlure.exclusive import alone_in

SCHEMA_VERSION = 1
FOLDER = "check"  # of the corpus, unless another is named
Progress = Callable[[int, int], None]
Bars = Callable[[str], AbstractContextManager[Progress]]


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes:
        corpus: what was checked.
        folder: where it is written.
        findings: errors first.
        left_out: rules that did not run, by code, and why.
        distributions: of the whole corpus.
        label_tokens: of train; exact with a model, else (at least, at most).
    """

    corpus: Corpus
    folder: Path
    findings: tuple[Finding, ...]
    left_out: Mapping[str, str]
    distributions: Distributions
    label_tokens: tuple[int, int]

    def count(self, severity: str) -> int:
        """How many utterances and other things have a finding of this severity."""
        return sum(finding.n for finding in self.findings if finding.rule.severity == severity)

    def to_json(self, forecast: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A plain dict."""
        seconds = sum(one.duration_s for one in self.corpus.utterances)
        return {
            "schema_version": SCHEMA_VERSION,
            "corpus": str(self.corpus.folder),
            "n_utterances": len(self.corpus.utterances),
            "hours": round(seconds / 3600, 6),
            "counts": {severity: self.count(severity) for severity in SEVERITIES},
            "findings": [finding.to_json() for finding in self.findings],
            "rules_not_run": dict(self.left_out),
            "distributions": self.distributions.to_json(),
            "forecast": forecast,
        }

    def lines(self) -> list[str]:
        """What a person reads."""
        lines = []
        for one in self.findings:
            share = f", {duration(one.hours)}" if one.hours else ""
            first = one.examples[0]
            example = " ".join(part for part in (first.id, first.value) if part)
            lines.append(f"{one.rule.severity:<8} {one.rule.code:<22} {one.n:>7}{share}: {example[:100]}")
        counts = ", ".join(f"{self.count(name)} {name}{'s' * (self.count(name) != 1)}" for name in SEVERITIES)
        return [*lines, f"{len(self.corpus.utterances)} utterances: {counts}"]


def check(
    corpus: str | Path,
    *,
    out: str | Path | None = None,
    rules: Sequence[str] = (),
    audio: bool = True,
    ears: Ears | None = None,
    bars: Bars | None = None,
) -> Checked:
    """Run every rule.

    Args:
        corpus: a corpus folder.
        out: where to keep what was found and measured; None is ``check/`` in the corpus.
        rules: ``code=threshold`` or ``code=off`` each.
        audio: whether recordings are read.
        ears: a model; None leaves out the rules that need one.
        bars: what is being done → a context that gives a callable for (done, total).

    Raises:
        ParlureError: the corpus cannot be read, a rule is unknown, or another process writes the folder.
    """
    chosen = chosen_rules(rules)
    left_out = _left_out(chosen, audio, ears)
    loaded = Corpus.load(corpus)
    folder = Path(out) if out is not None else loaded.folder / FOLDER
    ledger = Ledger(
        loaded.utterances, {code: rule for code, rule in chosen.items() if code not in left_out}, loaded.folder
    )
    with alone_in(folder):
        _check_manifest(ledger, loaded, ears)
        measured: dict[str, dict[str, Any]] = {}
        if audio:
            measured = _with_bar(bars, "listening", lambda bar: listen(loaded.utterances, folder / "cache", bar))
            mixing_is_meant = _settings(loaded).get("channels") == "mix"
            check_audio(ledger, measured, mixing_is_meant=mixing_is_meant)
        if ears is not None and audio:
            _with_bar(bars, "decoding", lambda bar: check_hearing(ledger, ears, folder / "cache", bar))
        checked = Checked(
            loaded, folder, tuple(ledger.findings()), left_out, distributions(loaded, measured), _tokens(loaded, ears)
        )
        _write_reasons(folder / "reasons.csv", ledger)
    return checked


def _with_bar(bars: Bars | None, doing: str, work: Callable[[Progress | None], Any]) -> Any:
    if bars is None:
        return work(None)
    with bars(doing) as bar:
        return work(bar)


def _left_out(rules: Mapping[str, Rule], audio: bool, ears: Ears | None) -> dict[str, str]:
    """Why a rule does not run."""
    why = {}
    for code, rule in RULES.items():
        if code not in rules:
            why[code] = f"--rule {code}=off"
        elif rule.needs == "audio" and not audio:
            why[code] = "--no-audio"
        elif rule.needs == "model" and ears is None:
            why[code] = "needs --model"
        elif rule.needs == "model" and not audio and code != "suppressed_tokens":
            why[code] = "--no-audio"
    return why


def _settings(corpus: Corpus) -> Mapping[str, Any]:
    """What the corpus was prepared with, as far as corpus.json says it."""
    settings = corpus.info.get("settings")
    return settings if isinstance(settings, dict) else {}


def _check_manifest(ledger: Ledger, corpus: Corpus, ears: Ears | None) -> None:
    check_texts(ledger, silence_is_meant=_settings(corpus).get("empty_text") == "no-speech")
    check_spacing(ledger)
    check_writing(ledger)
    check_tokens(ledger, ears)
    check_timing(ledger)
    split = corpus.info.get("split")
    check_splits(ledger, group_by=split.get("group_by") if isinstance(split, dict) else None)
    check_copies(ledger)
    if not corpus.info.get("licence"):
        ledger.add("licence_missing", None, "corpus.json names no licence")


def _tokens(corpus: Corpus, ears: Ears | None) -> tuple[int, int]:
    """Label tokens of train: exact, or the least and the most that they can be."""
    train = corpus.select("train")
    if ears is not None:
        n = sum(map(ears.n_tokens, train))
        return n, n
    return sum(map(least_tokens, train)), sum(map(most_tokens, train))


def _write_reasons(path: Path, ledger: Ledger) -> None:
    """Every reason of every utterance, for a spreadsheet."""
    with path.open("w", encoding="utf-8", newline="", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "split", "recording", "start", "end", "severity", "code", "value"))
        for one, rule, value in ledger.reasons():
            span = (f"{one.start:g}", f"{one.end:g}")
            writer.writerow((one.id, one.split, one.recording, *span, rule.severity, rule.code, value))


def write_check(checked: Checked, page: str, forecast: Mapping[str, Any] | None) -> None:
    """Write ``check.json`` and ``check.html``."""
    text = json.dumps(checked.to_json(forecast), ensure_ascii=False, indent=2)
    for name, content in (("check.json", text + "\n"), ("check.html", page)):
        (checked.folder / name).write_text(content, encoding="utf-8", errors="replace")
