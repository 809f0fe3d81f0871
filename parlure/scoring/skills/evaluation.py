"""Corpus + one model or two → report: what the command ``parlure evaluate`` does.

The only file of this room that runs a model. Base decodes exactly what tuned decodes, in the same way.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError
from parlure.exclusive import alone_in
from parlure.scoring.normalize import headline_profile
from parlure.scoring.report import build_report, write_report
from parlure.scoring.utterances import score_utterances
from parlure.speech.audio import Samples, read_audio
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import DecodingOptions, decode
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.journal import Journal
from parlure.whisper.load import LoadedModel, base_of, load

Advance = Callable[[int, int], None] | None
PROFILES = ("raw", "basic", "fr")


@dataclass(frozen=True)
class Decoded:
    """What one model made of a list of utterances.

    Attributes:
        hypotheses: in the utterances' order.
        description: the report's ``{"model", "hash", "decode"}``.
    """

    hypotheses: tuple[Hypothesis, ...]
    description: dict[str, Any]


def evaluate(
    corpus: Path,
    model: str,
    out: Path,
    *,
    against: str | None = None,
    split: str = "test",
    batch_size: int = 16,
    progress: Advance = None,
) -> dict[str, Any]:
    """Decode a split and write a report; interrupted or killed, the next call goes on where it was.

    Args:
        corpus: a corpus folder.
        model: the MODEL called ``tuned`` in the report.
        out: the report folder.
        against: the MODEL called ``base``, or the word base: what the run ``model`` was tuned from.
        split: ``train``, ``dev`` or ``test``.
        batch_size: utterances decoded together; never changes a hypothesis.
        progress: called with (utterances done, utterances to do), over both models.

    Returns:
        The content of ``report.json``.

    Raises:
        ParlureError: the corpus or a model cannot be used, or the split is empty.
    """
    loaded = Corpus.load(corpus)
    utterances = loaded.select(split)
    if not utterances:
        raise ParlureError(
            f"{corpus} has no {split} utterances", "choose another --split, or prepare with other --ratios"
        )
    base = base_of(model) if against == "base" else against
    with alone_in(out):
        return _evaluate(utterances, model, base, out, batch_size, progress)


def _evaluate(
    utterances: Sequence[Utterance], model: str, base: str | None, out: Path, batch_size: int, progress: Advance
) -> dict[str, Any]:
    names = {"tuned": model} | ({"base": base} if base else {})
    n_total = len(utterances) * len(names)
    decoded: dict[str, Decoded] = {}
    journals: list[Journal] = []
    for system, name in names.items():
        n_before = len(utterances) * len(decoded)

        def advance(done: int, n_before: int = n_before) -> None:
            if progress:
                progress(n_before + done, n_total)

        loaded = load(name)
        journals.append(journal := _journal(out / f"decoding-{system}.jsonl", loaded, utterances, batch_size))
        decoded[system] = _decode(loaded, utterances, batch_size, journal, advance)
    rows = [_row(utterance, index, decoded) for index, utterance in enumerate(utterances)]
    headline = headline_profile(utterances[0].language)
    scored = score_utterances(rows, PROFILES)
    report = build_report(scored, {system: one.description for system, one in decoded.items()}, headline)
    by_id = {utterance.id: utterance for utterance in utterances}
    write_report(out, scored, report, lambda id_: _samples(by_id[id_]))
    for system, one in decoded.items():
        write_hypotheses(out / "hypotheses" / system, one)
    for journal in journals:
        journal.remove()
    return report


def _journal(path: Path, loaded: LoadedModel, utterances: Sequence[Utterance], batch_size: int) -> Journal:
    """The hypotheses of this model on these utterances that an interrupted call has left."""
    sounds = json.dumps([[u.id, u.recording, u.start, u.end, u.channel, u.language, u.task] for u in utterances])
    job = {"model": loaded.name, "hash": loaded.sha256, "utterances": hashlib.sha256(sounds.encode()).hexdigest()}
    return Journal(path, job | _settings(loaded, batch_size))


def _settings(loaded: LoadedModel, batch_size: int) -> dict[str, Any]:
    """How utterances are decoded, and by what."""
    settings = asdict(DecodingOptions(batch_size=batch_size))
    settings |= {"language": "the utterance's", "task": "the utterance's"}
    settings |= {"method": "greedy", "timestamps": "none", "engine": "torch", "device": loaded.model.device.type}
    return settings | {name: version(name) for name in ("parlure", "torch", "transformers")}


def _decode(
    loaded: LoadedModel,
    utterances: Sequence[Utterance],
    batch_size: int,
    journal: Journal,
    advance: Callable[[int], None],
) -> Decoded:
    """Decode what the journal lacks, each in its own language and task; ``advance`` gets the number done so far."""
    clips = clips_of(utterances)
    options = DecodingOptions(batch_size=batch_size)
    for language, task in sorted({(u.language, u.task) for u in utterances}):
        chosen = [c for u, c in zip(utterances, clips, strict=True) if (u.language, u.task) == (language, task)]
        for start in range(0, len(chosen), 8 * batch_size):  # so that a bar moves and little is lost
            part = [clip for clip in chosen[start : start + 8 * batch_size] if clip.id not in journal.found]
            clock = time.monotonic()
            pinned = replace(options, language=language, task=task)
            if part:
                journal.add(decode(loaded.model, loaded.tokenizer, part, pinned), time.monotonic() - clock)
            advance(len(journal.found))
    audio_s = round(sum(utterance.duration_s for utterance in utterances), 2)
    spent = {"audio_s": audio_s, "work_s": round(journal.work_s, 2)}
    return Decoded(
        tuple(journal.found[utterance.id] for utterance in utterances),
        {"model": loaded.name, "hash": loaded.sha256, "decode": _settings(loaded, batch_size) | spent},
    )


def write_hypotheses(folder: Path, decoded: Decoded) -> None:
    """Write ``hyps.jsonl`` and ``decode.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(hypothesis.to_json(), ensure_ascii=False) + "\n" for hypothesis in decoded.hypotheses]
    (folder / "hyps.jsonl").write_text("".join(lines), encoding="utf-8")
    description = json.dumps(decoded.description, indent=2, ensure_ascii=False) + "\n"
    (folder / "decode.json").write_text(description, encoding="utf-8")


def _row(utterance: Utterance, index: int, decoded: Mapping[str, Decoded]) -> dict[str, Any]:
    hypotheses = {system: one.hypotheses[index] for system, one in decoded.items()}
    return {
        "id": utterance.id,
        "speaker": utterance.speaker,
        "session": utterance.session,
        "duration_s": round(utterance.duration_s, 3),
        "language": utterance.language,
        "task": utterance.task,
        "tags": list(utterance.tags),
        "reference": utterance.text,
        "hypotheses": {system: one.text for system, one in hypotheses.items()},
        "truncated": {system: one.truncated for system, one in hypotheses.items()},
        "no_speech_prob": {system: one.to_json()["no_speech_prob"] for system, one in hypotheses.items()},
        "avg_logprob": {system: one.to_json()["avg_logprob"] for system, one in hypotheses.items()},
    }


def _samples(utterance: Utterance) -> Samples:
    return read_audio(utterance.recording, utterance.start, utterance.end, utterance.channel)
