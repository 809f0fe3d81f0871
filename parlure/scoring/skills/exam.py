"""A corpus → what every model is asked: the same clips in the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.pseudo import refuse_pseudo
from parlure.errors import ParlureError
from parlure.scoring.evidence.language import MIN_DURATION_S
from parlure.scoring.evidence.translation import needs_sacrebleu
from parlure.scoring.significance import block_numbers
from parlure.scoring.skills.listening import Ear, Question, questions_of
from parlure.scoring.skills.longform import Piece, pieces_of
from parlure.scoring.skills.silence import SilenceHeard, hear_silence, silence_questions
from parlure.scoring.skills.through import Through
from parlure.speech.audio import Samples
from parlure.speech.channel.expression import Channel
from parlure.speech.nonspeech import CLIPS_PER_KIND, NonSpeech, nonspeech_clips
from parlure.training.guards import load_guards
from parlure.training.items import refuse_long
from parlure.transcribing.hypothesis import Hypothesis

MAX_TIMED = 300  # utterances whose phrase times are asked for, one by one: enough, and not more hours than the rest


@dataclass(frozen=True)
class Answers:
    """What one model made of an exam, in its order."""

    utterances: tuple[Hypothesis, ...]
    silence: SilenceHeard
    timed: tuple[Hypothesis, ...]
    pieces: tuple[Hypothesis, ...]
    guards: Mapping[str, tuple[Hypothesis, ...]]


@dataclass(frozen=True)
class Exam:
    """What every model is asked.

    Attributes:
        utterances: the split, each in its own language and task.
        blocks: of each utterance: the independent unit that it belongs to.
        language: the split's most frequent, pinned where nobody speaks.
        nonspeech: the synthesised clips.
        timed: utterances whose phrase times are known.
        pieces: of more than 30 s.
        guards: name → utterances of another domain.
        through: what all that is of the split is sent through; None: as it is.
    """

    utterances: tuple[Utterance, ...]
    blocks: tuple[int, ...]
    language: str
    nonspeech: tuple[NonSpeech, ...]
    timed: tuple[Utterance, ...]
    pieces: tuple[Piece, ...]
    guards: Mapping[str, tuple[Utterance, ...]]
    through: Through | None = None

    @classmethod
    def of(
        cls,
        corpus: Corpus,
        split: str,
        guards: Sequence[str] = (),
        nonspeech_per_kind: int = CLIPS_PER_KIND,
        channel: Channel | None = None,
    ) -> Exam:
        """The exam on one split of a corpus, which may be heard through a channel.

        Raises:
            ParlureError: the split is empty or has utterances of more than 30 s, a guard corpus cannot be used, or
                there are translations and sacrebleu is not installed.
        """
        utterances = decodable(corpus, split)
        if any(u.task == "translate" for u in utterances):
            needs_sacrebleu()
        timed = [u for u in utterances if u.segments and u.task == "transcribe"]
        stride = max(1.0, len(timed) / MAX_TIMED)
        return cls(
            utterances=utterances,
            blocks=blocks_of(utterances),
            language=Counter(u.language for u in utterances).most_common(1)[0][0],
            nonspeech=tuple(nonspeech_clips(nonspeech_per_kind)),
            timed=tuple(timed[int(i * stride)] for i in range(min(len(timed), MAX_TIMED))),
            pieces=tuple(pieces_of(corpus.utterances, utterances)),
            guards=load_guards(guards, split),
            through=None if channel is None else Through.of(channel, utterances),
        )

    @cached_property
    def empty(self) -> tuple[int, ...]:
        """Where the utterances are in which nobody speaks."""
        return tuple(index for index, u in enumerate(self.utterances) if not u.text.strip())

    @cached_property
    def identifiable(self) -> tuple[int, ...]:
        """Where the utterances are whose language a model can be asked for."""
        return tuple(
            index for index, u in enumerate(self.utterances) if u.text.strip() and u.duration_s >= MIN_DURATION_S
        )

    @property
    def skill_names(self) -> list[str]:
        """The skills that the report will have."""
        languages = {u.language for u in self.utterances if u.task == "transcribe"}
        names = [f"transcription.{language}" for language in sorted(languages)]
        if any(u.task == "translate" for u in self.utterances):
            names += ["translation", "translation.bleu"]
        if self.identifiable:
            names.append("language_identification")
        if self.nonspeech or self.empty:
            names += ["silence", "silence.free"]
        names += ["timestamps"] if self.timed else []
        names += ["long_form"] if self.pieces else []
        return names + [f"guard.{name}" for name in self.guards]

    @property
    def n_questions(self) -> int:
        """How many clips a model is given, those of the free prompt counted again."""
        n_guards = sum(len(own) for own in self.guards.values())
        n_silent = 2 * len(self.nonspeech) + len(self.empty)
        return len(self.utterances) + n_silent + len(self.timed) + len(self.pieces) + n_guards

    def questions(self, utterances: Sequence[Utterance]) -> list[Question]:
        """Utterances of the split as something to decode."""
        pairs = zip(questions_of(utterances), utterances, strict=True)
        return [self._through(question, utterance) for question, utterance in pairs]

    def samples(self, utterance: Utterance) -> Samples:
        """What every model hears of an utterance of the split, mono at 16 kHz."""
        return self.questions([utterance])[0].clip.read()

    def _through(self, question: Question, utterance: Utterance) -> Question:
        return question if self.through is None else self.through.question(question, utterance)

    def put_to(self, ear: Ear, main: Sequence[Hypothesis]) -> Answers:
        """Ask one model everything else than the utterances, of which it has made ``main``."""
        questions = self.questions(self.utterances)
        pieces = [self._through(piece.question(), piece.utterances[0]) for piece in self.pieces]
        own = [questions[index] for index in self.empty]
        synthesised: list[Question] = silence_questions(self.nonspeech, self.language)
        return Answers(
            utterances=tuple(main),
            silence=hear_silence(ear, synthesised, own, [main[index] for index in self.empty]),
            timed=tuple(ear.hear_phrases("timestamps", self.questions(self.timed))),
            pieces=tuple(ear.hear_phrases("long-form", pieces)),
            guards={name: tuple(ear.hear(f"guard-{name}", questions_of(own))) for name, own in self.guards.items()},
        )


def decodable(corpus: Corpus, split: str) -> tuple[Utterance, ...]:
    """The utterances of a split, each of which fits into Whisper's window.

    Raises:
        ParlureError: there is none, one does not fit, or one of dev or test is a pseudo-label.
    """
    utterances = corpus.select(split)
    if not utterances:
        raise ParlureError(
            f"{corpus.folder} has no {split} utterances", "choose another --split, or prepare with other --ratios"
        )
    refuse_long(utterances)
    refuse_pseudo(utterances, split, corpus.folder)
    return utterances


def blocks_of(utterances: Sequence[Utterance]) -> tuple[int, ...]:
    """Number the independent units; a recording stands for its session where no session is named."""
    sessions = [u.session or f"recording {u.recording}" for u in utterances]
    return tuple(block_numbers([u.speaker for u in utterances], sessions))
