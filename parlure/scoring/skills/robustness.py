"""Corpus + one model or two + telephone channels → table: what the command ``parlure robustness`` does.

Every condition is the same utterances through another channel. Both models hear the same sound, for all that is drawn
follows from seed and utterance; and conditions that share a part of their channel share what is drawn there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.voices import has_other_voices
from parlure.errors import ParlureError
from parlure.exclusive import alone_in
from parlure.scoring.normalize import get_profile, headline_profile, profile_hash
from parlure.scoring.robustness import CLEAN, SCHEMA_VERSION, cautions, condition_rows, write_table
from parlure.scoring.skills.evaluation import Advance
from parlure.scoring.skills.exam import decodable
from parlure.scoring.skills.listening import Ear, questions_of
from parlure.scoring.skills.provenance import data_of
from parlure.scoring.skills.through import Through
from parlure.scoring.utterances import ScoredUtterance, score_utterances
from parlure.speech.channel.codecs import library_versions
from parlure.speech.channel.conditions import USUAL, VERSION
from parlure.speech.channel.expression import Channel, parse_channels
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.choice import engine_for, open_engine
from parlure.transcribing.engines.interface import EngineName
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.journal import Journal
from parlure.whisper.conversion import Quantization
from parlure.whisper.load import base_of


@dataclass
class _Heard:
    """Hypotheses by condition and system, what each system is, and the journals that keep all until it is written."""

    found: dict[str, dict[str, list[Hypothesis]]]
    systems: dict[str, dict[str, Any]]
    journals: list[Journal]


def robustness(
    corpus: Path,
    model: str,
    out: Path,
    *,
    against: str | None = None,
    conditions: Sequence[str] | None = None,
    split: str = "test",
    seed: int = 0,
    beam_size: int = 1,
    loop_guard: bool = False,
    batch_size: int = 16,
    engine: EngineName | None = None,
    quantize: Quantization | None = None,
    progress: Advance = None,
) -> dict[str, Any]:
    """Decode a split through one telephone channel after the other; interrupted or killed, the next call goes on.

    Args:
        corpus: a corpus folder.
        model: the MODEL called ``tuned``.
        out: the folder of the table.
        against: the MODEL called ``base``, or the word base: what the run ``model`` was tuned from.
        conditions: channels (:mod:`parlure.speech.channel.expression`); ``clean`` is always there, and first. None:
            the usual ones, without cross-talk where the split has only one speaker.
        split: ``train``, ``dev`` or ``test``; what is to be translated is left out.
        seed: of all that is drawn.
        beam_size: 1 is greedy; more: so many beginnings of every text at once.
        loop_guard: stop an utterance whose text goes round in circles.
        batch_size: clips decoded together; never changes a hypothesis.
        engine: which library decodes, both models alike; None is torch, or CTranslate2 where a MODEL is its folder.
        quantize: the numbers CTranslate2 multiplies; None is float32, or what a CTranslate2 folder holds.
        progress: called with (clips done, clips to do), over all models and conditions.

    Returns:
        The content of ``robustness.json``.

    Raises:
        ParlureError: a condition is none, the corpus or a model cannot be used, or the split has nothing to transcribe.
    """
    asked = USUAL if conditions is None else conditions
    channels = parse_channels([CLEAN, *(text for text in asked if text.strip() != CLEAN)])
    utterances = tuple(u for u in decodable(Corpus.load(corpus), split) if u.task == "transcribe")
    if not utterances:
        raise ParlureError(f"{corpus} has nothing to transcribe in its {split} split", "choose another --split")
    warnings = []
    if conditions is None and not has_other_voices(utterances):
        channels = tuple(channel for channel in channels if not channel.needs_voice)
        warnings = ["No cross-talk: all utterances are of one speaker."]
    throughs = {channel.text: Through.of(channel, utterances, seed) for channel in channels}
    names = {"tuned": model} | ({"base": base} if (base := base_of(model) if against == "base" else against) else {})
    options = DecodingOptions(batch_size=batch_size, beam_size=beam_size, loop_guard=loop_guard)
    with alone_in(out):
        chosen = engine_for(names.values(), engine)
        heard = _listen(utterances, names, throughs, out, options, chosen, quantize, progress)
        profile = headline_profile(Counter(u.language for u in utterances).most_common(1)[0][0])
        scored = {name: _scored(utterances, name, heard, profile) for name in throughs}
        table = {
            "schema_version": SCHEMA_VERSION,
            "profile": profile,
            "normalizer": {"version": get_profile(profile).version, "hash": profile_hash(profile)},
            "split": split,
            "n_utterances": len(utterances),
            "seed": seed,
            "sound": {"version": VERSION, **library_versions()},
            "systems": heard.systems,
            "data": data_of(corpus, split, utterances),
            "conditions": _with_channels(condition_rows(scored, profile), channels),
            "warnings": warnings + cautions(scored[CLEAN], len(channels)),
        }
        write_table(out, scored, table)
        for journal in heard.journals:
            journal.remove()
    return table


def _listen(
    utterances: Sequence[Utterance],
    names: Mapping[str, str],
    throughs: Mapping[str, Through],
    out: Path,
    options: DecodingOptions,
    engine: EngineName,
    quantize: Quantization | None,
    progress: Advance,
) -> _Heard:
    n_done, n_total = 0, len(utterances) * len(names) * len(throughs)
    heard = _Heard({text: {} for text in throughs}, {}, [])
    questions = list(zip(questions_of(utterances), utterances, strict=True))

    def tick(n_clips: int) -> None:
        nonlocal n_done
        n_done += n_clips
        if progress and n_clips:
            progress(n_done, n_total)

    def ask(system: str, name: str) -> None:  # a model is out of memory before the next comes in
        nonlocal quantize
        opened = open_engine(name, engine, quantize)
        if engine == "ctranslate2" and quantize is None:  # what the first model holds, the other is to have too
            quantize = cast(Quantization, opened.compute_type)
        ear = Ear(opened, out, system, options, tick)
        for text, through in throughs.items():
            asked = [through.question(question, utterance) for question, utterance in questions]
            heard.found[text][system] = ear.hear(_part(through.channel), asked)
        seconds = sum(u.duration_s for u in utterances) * len(throughs)
        about = ear.description("full", seconds)
        about["decode"]["work_s"] = round(sum(journal.work_s for journal in ear.journals), 2)
        heard.systems[system] = about
        heard.journals += ear.journals

    for system, name in names.items():
        ask(system, name)
    return heard


def _part(channel: Channel) -> str:
    """Names the journal of a condition, whichever others there are."""
    return f"channel-{hashlib.sha256(str(channel).encode()).hexdigest()[:12]}"


def _scored(utterances: Sequence[Utterance], name: str, heard: _Heard, profile: str) -> list[ScoredUtterance]:
    rows = [
        {
            "id": utterance.id,
            "speaker": utterance.speaker,
            "session": utterance.session,
            "duration_s": round(utterance.duration_s, 3),
            "language": utterance.language,
            "task": utterance.task,
            "tags": list(utterance.tags),
            "reference": utterance.text,
            "hypotheses": {system: own[index].text for system, own in heard.found[name].items()},
        }
        for index, utterance in enumerate(utterances)
    ]
    return score_utterances(rows, [profile])


def _with_channels(rows: Mapping[str, dict[str, Any]], channels: Sequence[Channel]) -> dict[str, dict[str, Any]]:
    """The rows, each with all parameters of its channel, so that a default that changes is seen."""
    return {channel.text: {"channel": str(channel)} | rows[channel.text] for channel in channels}
