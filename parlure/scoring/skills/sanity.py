"""Controls that a report must pass before anybody believes it: what is known to be nothing must measure as nothing.

- *shuffled references*: every hypothesis against another utterance's reference. A word error rate that does not go up
  to chance was not earned by listening;
- *scored again from disk*: texts and evidence in the report's folder give its numbers, all of them;
- *adapter at scale 0*: a run's adapter, switched off, must decode as its base does, token by token.

That a model learns nothing from permuted transcripts takes a training of its own: ``data.permute_labels`` in a recipe.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.corpus.manifest import Corpus, Utterance
from parlure.scoring.rates import Counts, count_words
from parlure.scoring.report import recompute
from parlure.scoring.utterances import ScoredUtterance, read_jsonl, score_utterances, utterance_from_json
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import DecodingOptions, decode
from parlure.whisper.adapters import scaled_saved
from parlure.whisper.languages import fit_vocabulary
from parlure.whisper.load import is_ctranslate2, load_base, load_tokenizer, locate

N_SHUFFLES = 20  # if shuffling changed nothing, all 20 would lie above the true rate once in 21 times
N_DECODED = 8  # utterances to decode with the adapter off: one token that differs is enough
CONTROLS = "sanity.json"


@dataclass(frozen=True)
class Control:
    """What one control found.

    Attributes:
        name: of the control.
        passed: None where it could not be made.
        detail: the numbers, in a sentence.
    """

    name: str
    passed: bool | None
    detail: str

    def line(self) -> str:
        """For a person."""
        word = {True: "passed", False: "FAILED", None: "not made"}[self.passed]
        return f"{word:8}  {self.name:24}  {self.detail}"


def check_sanity(report: Path, corpus: Path, model: str, *, split: str = "test") -> list[Control]:
    """Make every control on a report, and write ``sanity.json`` into its folder.

    Args:
        report: the folder of the report on ``corpus`` and ``model``.
        corpus: what it was made from.
        model: the MODEL called ``tuned`` in it.
        split: the split that was decoded.

    Raises:
        ParlureError: report, corpus or model cannot be used.
    """
    found = [_shuffled(report), _again_from_disk(report), _adapter_off(corpus, model, split)]
    rows = json.dumps([asdict(one) for one in found], indent=2, ensure_ascii=False)
    (report / CONTROLS).write_text(rows + "\n", encoding="utf-8")
    return found


def _shuffled(report: Path) -> Control:
    name = "shuffled references"
    stored = json.loads((report / "report.json").read_text(encoding="utf-8"))
    profile = stored["headline_profile"]
    lines = _lines(report)
    spoken = [one for one in lines if one.task == "transcribe" and one.counts[profile]["tuned"].words.N]
    if len({one.reference for one in spoken}) < 3:
        return Control(name, None, "it takes three different references")
    true = Counts.total(one.counts[profile]["tuned"].words for one in spoken).rate
    chance = sorted(_rate_against(spoken, _exchanged(spoken, seed), profile) for seed in range(N_SHUFFLES))
    assert true is not None
    detail = f"WER {true:.1f} %, and {chance[0]:.1f} to {chance[-1]:.1f} % over {N_SHUFFLES} shuffles"
    return Control(name, chance[0] > true, detail)


def _exchanged(spoken: Sequence[ScoredUtterance], seed: int) -> list[str]:
    """Everybody's references, each moved to another utterance."""
    order = list(range(len(spoken)))
    random.Random(seed).shuffle(order)
    moved = dict(zip(order, [*order[1:], order[0]], strict=True))  # one great circle: none stays where it is
    return [spoken[moved[index]].reference for index in range(len(spoken))]


def _rate_against(spoken: Sequence[ScoredUtterance], references: Sequence[str], profile: str) -> float:
    from parlure.scoring.normalize import get_profile

    normalize = get_profile(profile).normalize
    pairs = zip(references, spoken, strict=True)
    counts = (count_words(normalize(said), normalize(one.hypotheses["tuned"])) for said, one in pairs)
    return Counts.total(counts).rate or 0.0


def _again_from_disk(report: Path) -> Control:
    """Count every text again, and compute the report again from what is stored."""
    stored = json.loads((report / "report.json").read_text(encoding="utf-8"))
    lines = _lines(report)
    rows = [asdict(one) | dict(one.extra) for one in lines]
    counted = score_utterances(rows, list(stored["profiles"]))
    differ = [one.id for one, again in zip(lines, counted, strict=True) if one.counts != again.counts]
    numbers = _differences(stored, json.loads(json.dumps(recompute(report))))
    if differ or numbers:
        what = f"{len(differ)} utterances counted otherwise; " if differ else ""
        return Control("scored again from disk", False, f"{what}differing: {', '.join(numbers[:5]) or 'none'}")
    return Control("scored again from disk", True, f"{len(lines)} utterances, {len(stored['skills'])} skills: equal")


def _differences(before: Any, after: Any, place: str = "") -> list[str]:
    """Where two trees of JSON differ."""
    if isinstance(before, dict) and isinstance(after, dict) and set(before) == set(after):
        return [where for key in before for where in _differences(before[key], after[key], f"{place}/{key}")]
    return [] if before == after else [place or "/"]


def _adapter_off(corpus: Path, model: str, split: str) -> Control:
    name = "adapter at scale 0"
    source, adapter = ("", None) if is_ctranslate2(model) else locate(model)
    if adapter is None:
        return Control(name, None, f"{model} has no adapter")
    spoken = sorted(
        (u for u in Corpus.load(corpus).select(split) if u.text.strip()), key=lambda u: (u.duration_s, u.id)
    )
    if not spoken:
        return Control(name, None, "nobody speaks in the split")
    longest = spoken[-1]
    alike = [u for u in spoken if (u.language, u.task) == (longest.language, longest.task)][-N_DECODED:]
    tokenizer = load_tokenizer(source, adapter)

    def fresh() -> WhisperForConditionalGeneration:
        whisper = load_base(source)
        fit_vocabulary(whisper, tokenizer)
        return whisper

    base = _tokens(fresh(), tokenizer, alike)
    switched_off = _tokens(scaled_saved(fresh(), adapter, 0.0), tokenizer, alike)
    differ = [u.id for u, one, other in zip(alike, base, switched_off, strict=True) if one != other]
    found = f"others in {', '.join(differ)}" if differ else "the base's own"
    return Control(name, not differ, f"{len(alike)} utterances, {sum(map(len, base))} tokens: {found}")


def _tokens(
    whisper: WhisperForConditionalGeneration, tokenizer: WhisperTokenizer, utterances: Sequence[Utterance]
) -> list[tuple[int, ...]]:
    whisper.eval().to("cuda" if torch.cuda.is_available() else "cpu")
    options = DecodingOptions(language=utterances[0].language, task=utterances[0].task)
    return [one.tokens for one in decode(whisper, tokenizer, clips_of(utterances), options)]


def _lines(report: Path) -> list[ScoredUtterance]:
    return [utterance_from_json(line) for _, line in read_jsonl(report / "utterances.jsonl")]
