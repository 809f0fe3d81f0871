"""``g711 > loss(0.05, burst=3)`` → a channel that speech is sent through; everything is checked before any is.

One condition, or several in the order in which they happen. Parameters are given by place or by name; a number may be a
span, ``loss(0.01..0.1)``, out of which each utterance draws its own.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.channel.background import Voice
from parlure.speech.channel.codecs import library_versions
from parlure.speech.channel.conditions import CONDITIONS, VERSION, Number, Word
from parlure.speech.channel.line import Line, fitted

_STAGE = re.compile(r"\s*([\w-]+)\s*(?:\(([^()]*)\))?\s*")
_EXAMPLE = "for example g711 > loss(0.05, burst=3)"


class Span(NamedTuple):
    """A number that every utterance draws for itself."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"


Value = float | str | Span


@dataclass(frozen=True)
class Stage:
    """One condition with all its parameters."""

    name: str
    values: tuple[tuple[str, Value], ...]

    def __str__(self) -> str:
        written = ", ".join(
            f"{key}={f'{value:g}' if isinstance(value, float) else value}" for key, value in self.values
        )
        return f"{self.name}({written})" if written else self.name

    def run(self, line: Line, key: str, voice: Voice | None) -> Line:
        """Send a line through it; what is drawn follows from the key and the condition's name."""
        condition, rng = CONDITIONS[self.name], generator(key, self.name)
        # spans are drawn by a generator of their own: the same packets are lost whether or not another value is drawn
        chosen = generator(key, self.name, "parameters")
        values: dict[str, Any] = {
            name: _drawn(value, condition.parameters[name], chosen) if isinstance(value, Span) else value
            for name, value in self.values
        }
        if condition.needs_voice:
            if voice is None:
                raise ValueError(f"{self.name} needs somebody else's speech")
            values["voice"] = voice
        return condition.run(line, rng, **values)


@dataclass(frozen=True)
class Channel:
    """What speech goes through.

    Attributes:
        text: as a person wrote it, without needless spaces.
        stages: in their order.
    """

    text: str
    stages: tuple[Stage, ...]

    @property
    def needs_voice(self) -> bool:
        """Whether somebody else's speech is needed."""
        return any(CONDITIONS[stage.name].needs_voice for stage in self.stages)

    def __str__(self) -> str:
        return " > ".join(map(str, self.stages))

    def send(self, samples: Samples, key: str, voice: Voice | None = None) -> Samples:
        """Send speech through.

        Args:
            samples: mono at 16 kHz, shape ``(n_samples,)``.
            key: everything random follows from it. Two channels that share a condition treat a key alike: with or
                without concealment, the same packets are lost.
            voice: gives somebody else's speech, where :attr:`needs_voice`.

        Returns:
            Mono at 16 kHz, shape ``(n_samples,)``, within ±1 unless nothing was done; not a sample earlier or later.

        Raises:
            ParlureError: a codec is missing from this machine's libraries.
        """
        if not len(samples):
            return samples
        line = Line(samples, SAMPLE_RATE)
        for place, stage in enumerate(self.stages):
            n_before = sum(before.name == stage.name for before in self.stages[:place])
            line = stage.run(line, f"{key} {n_before}", voice)
        if line.samples is samples:
            return samples
        return np.clip(fitted(line.at(SAMPLE_RATE).samples, len(samples)), -1.0, 1.0)

    def description(self) -> dict[str, str]:
        """For whoever must know what was heard: every parameter, and what made the sound."""
        return {"channel": str(self), "version": VERSION, **library_versions()}


def parse_channel(text: str) -> Channel:
    """Read a channel.

    Raises:
        ParlureError: it is not written as one, or a condition, a parameter or a value is unknown.
    """
    stages = [_stage(part, text) for part in text.split(">")]
    return Channel(" > ".join(" ".join(part.split()) for part in text.split(">")), tuple(stages))


def parse_channels(texts: Iterable[str]) -> tuple[Channel, ...]:
    """Read several, each at most once.

    Raises:
        ParlureError: see :func:`parse_channel`; or two are the same.
    """
    channels = [parse_channel(text) for text in texts]
    seen: set[str] = set()
    for channel in channels:
        if str(channel) in seen:
            raise ParlureError(f"the condition {channel.text} is there twice", "leave one of them out")
        seen.add(str(channel))
    return tuple(channels)


def split_list(text: str) -> list[str]:
    """``gsm,loss(0.1,burst=2)`` → its two parts: commas within brackets do not separate."""
    return [part.strip() for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def generator(*key: str) -> np.random.Generator:
    """A generator that follows from a key alone, on every machine and in every process."""
    digest = hashlib.sha256("\n".join(key).encode("utf-8")).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def _stage(part: str, text: str) -> Stage:
    match = _STAGE.fullmatch(part)
    if match is None:
        raise ParlureError(f"the condition {text!r} cannot be read at {part.strip()!r}", _EXAMPLE)
    name = match[1]
    if name not in CONDITIONS:
        near = difflib.get_close_matches(name, CONDITIONS, n=1, cutoff=0.5)
        known = f"the conditions are {', '.join(CONDITIONS)}"
        raise ParlureError(f"there is no condition {name!r}", f"did you mean {near[0]}?" if near else known)
    parameters = CONDITIONS[name].parameters
    given = _assigned(name, [one for one in (match[2] or "").split(",") if one.strip()], parameters)
    values = {key: _value(name, key, given[key], known) if key in given else known.default
              for key, known in parameters.items()}  # fmt: skip
    return Stage(name, tuple(values.items()))


def _assigned(name: str, arguments: Sequence[str], parameters: Mapping[str, Number | Word]) -> dict[str, str]:
    """Which parameter is given which text."""
    takes = f"{name} takes {', '.join(parameters) or 'nothing'}"
    given: dict[str, str] = {}
    for place, argument in enumerate(arguments):
        key, equals, value = (piece.strip() for piece in argument.partition("="))
        if not equals:
            if place >= len(parameters):
                raise ParlureError(f"{name} is given {len(arguments)} values", takes)
            key, value = list(parameters)[place], key
        if key not in parameters:
            near = difflib.get_close_matches(key, parameters, n=1, cutoff=0.5)
            raise ParlureError(f"{name} has no parameter {key!r}", f"did you mean {near[0]}?" if near else takes)
        if key in given:
            raise ParlureError(f"{name} is given {key} twice", takes)
        given[key] = value
    return given


def _value(name: str, key: str, text: str, known: Number | Word) -> Value:
    hint = f"{key} is {known.allowed}: {known.meaning}"
    if isinstance(known, Word):
        if text not in known.words:
            raise ParlureError(f"{name}: {key} cannot be {text!r}", hint)
        return text
    numbers = [_number(one) for one in text.split("..")]
    good = len(numbers) in (1, 2) and all(
        number is not None and known.low <= number <= known.high for number in numbers
    )
    low, high = numbers[0], numbers[-1]
    if not good or low is None or high is None or low > high:
        raise ParlureError(f"{name}: {key} cannot be {text!r}", hint)
    if known.steps and not {low, high} <= set(known.steps):
        raise ParlureError(f"{name}: {key} cannot be {text!r}", hint)
    return low if len(numbers) == 1 else Span(low, high)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _drawn(span: Span, known: Number | Word, rng: np.random.Generator) -> float:
    steps = [step for step in getattr(known, "steps", ()) if span.low <= step <= span.high]
    return float(rng.choice(steps)) if steps else float(rng.uniform(span.low, span.high))
