"""An exam and everybody's answers → the lines of ``utterances.jsonl`` and ``skills.jsonl``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from parlure.corpus.manifest import Utterance
from parlure.scoring.evidence.error_rates import counted
from parlure.scoring.normalize import headline_profile
from parlure.scoring.skills.exam import Answers, Exam, blocks_of
from parlure.scoring.skills.silence import OF_THE_CORPUS, silence_row
from parlure.speech.audio import Samples
from parlure.speech.level import level_db, snr_db
from parlure.transcribing.hypothesis import Hypothesis

Row = dict[str, Any]


def utterance_row(utterance: Utterance, samples: Samples, hypotheses: Mapping[str, Hypothesis]) -> Row:
    """A line of ``utterances.jsonl`` without its counts: what was said, how it sounds, what each system made of it."""
    level, snr = level_db(samples), snr_db(samples)
    written = {system: one.to_json() for system, one in hypotheses.items()}
    return {
        "id": utterance.id,
        "speaker": utterance.speaker,
        "session": utterance.session,
        "channel": utterance.channel,
        "duration_s": round(utterance.duration_s, 3),
        "level_db": None if level is None else round(level, 1),
        "snr_db": None if snr is None else round(snr, 1),
        "language": utterance.language,
        "task": utterance.task,
        "tags": list(utterance.tags),
        "reference": utterance.text,
        "hypotheses": {system: one["text"] for system, one in written.items()},
        "truncated": {system: one["truncated"] for system, one in written.items()},
        "looped": {system: one["looped"] for system, one in written.items()},
        "no_speech_prob": {system: one["no_speech_prob"] for system, one in written.items()},
        "avg_logprob": {system: one["avg_logprob"] for system, one in written.items()},
    }


def evidence(exam: Exam, answers: Mapping[str, Answers]) -> Iterator[Row]:
    """The rows of ``skills.jsonl``: see :mod:`parlure.scoring.evidence`."""
    yield from _translations(exam, answers)
    yield from _languages(exam, answers)
    yield from _silence(exam, answers)
    yield from _timestamps(exam, answers)
    yield from _long_form(exam, answers)
    yield from _guards(exam, answers)


def _translations(exam: Exam, answers: Mapping[str, Answers]) -> Iterator[Row]:
    for index, utterance in enumerate(exam.utterances):
        if utterance.task == "translate":
            texts = {system: one.utterances[index].text for system, one in answers.items()}
            yield {
                "skill": "translation",
                "id": utterance.id,
                "block": exam.blocks[index],
                "language": utterance.language,
                "reference": utterance.text,
                "hypotheses": texts,
            }


def _languages(exam: Exam, answers: Mapping[str, Answers]) -> Iterator[Row]:
    """Of the systems that can name a language: what is no Whisper is not asked for one."""
    answers = {
        system: one
        for system, one in answers.items()
        if any(one.utterances[index].identified is not None for index in exam.identifiable)
    }
    for index in exam.identifiable if answers else ():
        utterance = exam.utterances[index]
        yield {
            "skill": "language_identification",
            "id": utterance.id,
            "block": exam.blocks[index],
            "language": utterance.language,
            "identified": {system: one.utterances[index].identified for system, one in answers.items()},
        }


def _silence(exam: Exam, answers: Mapping[str, Answers]) -> Iterator[Row]:
    first_free = max(exam.blocks, default=-1) + 1  # a synthesised clip has nothing in common with any other
    rows = [
        silence_row(f"nonspeech/{clip.id}", clip.kind, first_free + number, clip.duration_s, exam.language)
        for number, clip in enumerate(exam.nonspeech)
    ]
    rows += [
        silence_row(u.id, OF_THE_CORPUS, exam.blocks[index], u.duration_s, u.language)
        for index, u in ((index, exam.utterances[index]) for index in exam.empty)
    ]
    for number, row in enumerate(rows):
        pinned = {system: one.silence.pinned[number] for system, one in answers.items()}
        free = {system: one.silence.free[number] for system, one in answers.items()}
        texts = {system: {"pinned": pinned[system].text, "free": free[system].text} for system in answers}
        yield row | {"hypotheses": texts, "identified": {system: one.identified for system, one in pinned.items()}}


def _timestamps(exam: Exam, answers: Mapping[str, Answers]) -> Iterator[Row]:
    block_of = {u.id: block for u, block in zip(exam.utterances, exam.blocks, strict=True)}
    for index, utterance in enumerate(exam.timed):
        heard = {system: one.timed[index].segments or () for system, one in answers.items()}
        yield {
            "skill": "timestamps",
            "id": utterance.id,
            "block": block_of[utterance.id],
            "reference": [[s.start, s.end, s.text] for s in utterance.segments or ()],
            "segments": {system: [[s.start, s.end, s.text] for s in own] for system, own in heard.items()},
        }


def _long_form(exam: Exam, answers: Mapping[str, Answers]) -> Iterator[Row]:
    block_of = {u.id: block for u, block in zip(exam.utterances, exam.blocks, strict=True)}
    for index, piece in enumerate(exam.pieces):
        language = piece.utterances[0].language
        texts = {system: one.pieces[index].text for system, one in answers.items()}
        yield {
            "skill": "long_form",
            "id": piece.id,
            "block": block_of[piece.utterances[0].id],
            "language": language,
            "duration_s": round(piece.duration_s, 3),
            "made_from": piece.made_from,
            "utterances": [u.id for u in piece.utterances],
            **counted(headline_profile(language), piece.text, texts),
        }


def _guards(exam: Exam, answers: Mapping[str, Answers]) -> Iterator[Row]:
    for name, utterances in exam.guards.items():
        for index, (utterance, block) in enumerate(zip(utterances, blocks_of(utterances), strict=True)):
            texts = {system: one.guards[name][index].text for system, one in answers.items()}
            yield {
                "skill": "guard",
                "corpus": name,
                "id": utterance.id,
                "block": block,
                "language": utterance.language,
                **counted(headline_profile(utterance.language), utterance.text, texts),
            }
