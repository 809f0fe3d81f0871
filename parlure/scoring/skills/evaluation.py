"""Corpus + one model or two → report: what the command ``parlure evaluate`` does.

Base is asked exactly what tuned is asked, in the same way: greedy, the language pinned, the 30 s window that Whisper
was trained on and that runtimes use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.exclusive import alone_in
from parlure.scoring.evidence import skills_of, write_evidence
from parlure.scoring.gates import parse_gate
from parlure.scoring.normalize import headline_profile, profiles_for
from parlure.scoring.report import build_report, write_report
from parlure.scoring.skills.exam import Answers, Exam
from parlure.scoring.skills.findings import evidence, utterance_row
from parlure.scoring.skills.listening import Ear, Window
from parlure.scoring.skills.provenance import data_of, training_of
from parlure.scoring.terms import Term, mark_seen, read_terms
from parlure.scoring.utterances import score_utterances
from parlure.speech.channel.expression import parse_channel
from parlure.speech.nonspeech import CLIPS_PER_KIND
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.choice import engine_for, open_engine
from parlure.transcribing.engines.interface import EngineName
from parlure.transcribing.engines.with_pipeline import is_for_pipeline
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.journal import Journal
from parlure.whisper.conversion import Quantization
from parlure.whisper.languages import lend
from parlure.whisper.load import base_of, tuned_for_short
from parlure.whisper.prompt import language_tokens

Advance = Callable[[int, int], None] | None
SHORT = "tuned (short window)"  # what the report calls tuned on input of the utterance's own length


@dataclass(frozen=True)
class Decoded:
    """What one system made of the split's utterances, in their order.

    Attributes:
        hypotheses: one for each.
        description: the report's ``{"model", "hash", "decode"}``.
    """

    hypotheses: tuple[Hypothesis, ...]
    description: dict[str, Any]


@dataclass
class _Heard:
    """What all systems have said so far, and the journals that keep it until it is written."""

    decoded: dict[str, Decoded]
    answers: dict[str, Answers]
    journals: list[Journal]
    lent: dict[str, str]  # language → the one that a base which lacks it was asked for


def evaluate(
    corpus: str | Path,
    model: str,
    out: str | Path,
    *,
    against: str | None = None,
    guards: Sequence[str] = (),
    split: str = "test",
    short: bool | None = None,
    fail_if: Sequence[str] = (),
    terms: Path | None = None,
    prompted: bool = False,
    condition: str | None = None,
    nonspeech_per_kind: int = CLIPS_PER_KIND,
    beam_size: int = 1,
    loop_guard: bool = False,
    batch_size: int = 16,
    engine: EngineName | None = None,
    quantize: Quantization | None = None,
    progress: Advance = None,
) -> dict[str, Any]:
    """Put models to the test of every skill and write a report; interrupted or killed, the next call goes on.

    Args:
        corpus: a corpus folder.
        model: the MODEL called ``tuned`` in the report.
        out: the report folder.
        against: the MODEL called ``base``, or the word base: what the run ``model`` was tuned from; or a model that is
            no Whisper.
        guards: corpora of other domains, ``NAME=CORPUS`` or a folder.
        split: ``train``, ``dev`` or ``test``, of the corpus and of the guards.
        short: decode the utterances with ``model`` in the window of their own length too, as a further system; None
            does so where the model was tuned on such windows.
        fail_if: expressions of :mod:`parlure.scoring.gates`; they are read before anything is decoded, and are for
            the caller to apply to what is returned.
        terms: a list of terms (:func:`parlure.scoring.terms.read_terms`), each also looked for in the train split.
        prompted: tell every model of the terms before every window (:mod:`parlure.whisper.terms`).
        condition: a telephone channel that the split is sent through (:mod:`parlure.speech.channel.expression`); the
            synthesised clips and the guards are not.
        nonspeech_per_kind: synthesised clips without speech, of each of six kinds.
        beam_size: 1 is greedy; more: so many beginnings of every text at once.
        loop_guard: stop an utterance whose text goes round in circles.
        batch_size: 30 s windows decoded together, twice as many short ones; never changes a hypothesis.
        engine: which library decodes, all models alike; None is torch, or CTranslate2 where a MODEL is its folder.
        quantize: the numbers CTranslate2 multiplies; None is float32, or what a CTranslate2 folder holds, ``model``'s
            before ``against``'s.
        progress: called with (clips done, clips to do), over all systems.

    Returns:
        The content of ``report.json``.

    Raises:
        ParlureError: a corpus or a model cannot be used, ``model`` is no Whisper, the split is empty, an expression or
            the condition is none, the models are to be told of no terms or of more than fit, or translations are to be
            scored without sacrebleu.
    """
    corpus, out = Path(corpus), Path(out)
    if is_for_pipeline(model):
        raise ParlureError(
            f"{model} is no Whisper, and a report is about one", "give it as --against, or see parlure baseline"
        )
    if prompted and terms is None:
        raise ParlureError("there are no terms to tell the models of", "name the list: --terms terms.txt --prompted")
    listed = [] if terms is None else read_terms(terms)
    channel = None if condition is None else parse_channel(condition)
    whole = Corpus.load(corpus)
    exam = Exam.of(whole, split, guards, nonspeech_per_kind, channel)
    if split != "train":
        listed = mark_seen(listed, [u.text for u in whole.select("train")], headline_profile(exam.language))
    base = base_of(model) if against == "base" else against
    options = DecodingOptions(batch_size=batch_size, beam_size=beam_size, identify=True, loop_guard=loop_guard)
    if prompted:
        options = replace(options, terms=tuple(term.text for term in listed))
    for expression in fail_if:
        parse_gate(expression, exam.skill_names, has_base=base is not None)
    names = {"tuned": model} | ({"base": base} if base else {})
    short = tuned_for_short(model) if short is None else short
    with alone_in(out):
        chosen = engine_for(names.values(), engine)
        heard = _listen(exam, names, out, short, options, chosen, quantize, progress)
        origin = {"data": data_of(corpus, split, exam.utterances)}
        if training := training_of(model):
            origin["training"] = training
        report = _write(exam, heard, out, listed, origin)
        for journal in heard.journals:
            journal.remove()
    return report


def _listen(
    exam: Exam,
    names: Mapping[str, str],
    out: Path,
    short: bool,
    options: DecodingOptions,
    engine: EngineName,
    quantize: Quantization | None,
    progress: Advance,
) -> _Heard:
    n_total = exam.n_questions * len(names) + short * len(exam.utterances)
    n_done, seconds = 0, sum(u.duration_s for u in exam.utterances)

    def tick(n_clips: int) -> None:
        nonlocal n_done
        n_done += n_clips
        if progress and n_clips:
            progress(n_done, n_total)

    heard = _Heard({}, {}, [], {})
    taught: dict[str, dict[str, str]] = {}  # to tuned

    def ask(system: str, name: str, window: Window) -> None:  # a model is out of memory before the next comes in
        nonlocal quantize, taught
        opened = open_engine(name, engine, quantize)
        if opened.tokenizer is not None:  # a Whisper
            if system == "tuned":
                taught = language_tokens(opened.tokenizer)
            heard.lent |= lend(opened.tokenizer, taught)
        if engine == "ctranslate2" and quantize is None:  # what the first model holds, the others are to have too
            quantize = cast(Quantization, opened.compute_type)
        ear = Ear(opened, out, "tuned-short" if window == "short" else system, options, tick)
        found = ear.hear("utterances", exam.questions(exam.utterances), window=window)
        description = ear.description(window, seconds)
        if exam.through is not None:
            description["decode"]["condition"] = exam.through.description()
        heard.decoded[system] = Decoded(tuple(found), description)
        if window == "full":
            heard.answers[system] = exam.put_to(ear, found)
        heard.journals += ear.journals

    for system, name in names.items():
        ask(system, name, "full")
    if short:
        ask(SHORT, names["tuned"], "short")
    return heard


def _write(exam: Exam, heard: _Heard, out: Path, terms: Sequence[Term], origin: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        utterance_row(
            utterance, exam.samples(utterance), {system: one.hypotheses[index] for system, one in heard.decoded.items()}
        )
        for index, utterance in enumerate(exam.utterances)
    ]
    warnings = [] if exam.through is None else [exam.through.caution()]
    warnings += [f"base has no language {code}, and was asked for {as_} instead" for code, as_ in heard.lent.items()]
    found = list(evidence(exam, heard.answers))
    scored = score_utterances(rows, profiles_for([exam.language, *(u.language for u in exam.utterances)]))
    report = build_report(
        scored,
        {system: one.description for system, one in heard.decoded.items()},
        headline_profile(exam.language),
        warnings,
        skills=skills_of(found, list(heard.decoded)),
        terms=terms,
        origin=origin,
    )
    out.mkdir(parents=True, exist_ok=True)
    write_evidence(out, found)
    by_id = {utterance.id: utterance for utterance in exam.utterances}
    write_report(out, scored, report, lambda id_: exam.samples(by_id[id_]))
    for system, one in heard.decoded.items():
        write_hypotheses(out / "hypotheses" / ("tuned-short" if system == SHORT else system), one)
    return report


def write_hypotheses(folder: Path, decoded: Decoded) -> None:
    """Write ``hyps.jsonl`` and ``decode.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(hypothesis.to_json(), ensure_ascii=False) + "\n" for hypothesis in decoded.hypotheses]
    (folder / "hyps.jsonl").write_text("".join(lines), encoding="utf-8")
    description = json.dumps(decoded.description, indent=2, ensure_ascii=False) + "\n"
    (folder / "decode.json").write_text(description, encoding="utf-8")
