"""Clips in which nobody speaks: the corpus's own, and always a fixed set that is synthesised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from parlure.scoring.skills.listening import Ear, Question
from parlure.speech.nonspeech import VERSION, NonSpeech
from parlure.transcribing.decode import Clip
from parlure.transcribing.hypothesis import Hypothesis

OF_THE_CORPUS = "corpus"  # the kind of the corpus's own clips


@dataclass(frozen=True)
class SilenceHeard:
    """What a model made of clips without speech, in their order."""

    pinned: tuple[Hypothesis, ...]
    free: tuple[Hypothesis, ...]


def silence_questions(clips: Sequence[NonSpeech], language: str) -> list[Question]:
    """The synthesised clips, with the language pinned."""
    return [
        Question(
            Clip(f"nonspeech/{clip.id}", clip.duration_s, clip.samples), language, "transcribe", ("nonspeech", VERSION)
        )
        for clip in clips
    ]


def hear_silence(
    ear: Ear, synthesised: Sequence[Question], own: Sequence[Question], heard: Sequence[Hypothesis]
) -> SilenceHeard:
    """Decode clips with their language pinned, then with a free prompt.

    A free prompt takes the language that the model identifies. Where that is the pinned one the text is the same, and
    the clip is not decoded again.

    Args:
        ear: the model.
        synthesised: questions of :func:`silence_questions`.
        own: those of the corpus, which follow.
        heard: what the model made of the corpus's own already, language pinned.
    """
    questions = [*synthesised, *own]
    pinned = [*ear.hear("silence", synthesised), *heard]
    other = [
        replace(question, language=one.identified)
        for question, one in zip(questions, pinned, strict=True)
        if one.identified is not None and one.identified != question.language
    ]
    again = {one.id: one for one in ear.hear("silence-free", other)}
    ear.skip(len(questions) - len(other))
    return SilenceHeard(tuple(pinned), tuple(again.get(one.id, one) for one in pinned))


def silence_row(clip_id: str, kind: str, block: int, duration_s: float, language: str) -> dict[str, Any]:
    """What is true of a clip, before anybody has heard it."""
    return {
        "skill": "silence",
        "id": clip_id,
        "block": block,
        "kind": kind,
        "duration_s": round(duration_s, 3),
        "language": language,
    }
