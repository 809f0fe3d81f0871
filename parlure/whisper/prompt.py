"""Transcript ⇄ label tokens.

The decoder reads ``[<|startofprev|> previous text] <|startoftranscript|> <|fr|> <|transcribe|> <|notimestamps|> text``
and is asked, one step ahead, for the same sequence ending in ``<|endoftext|>``: exactly one start token, never two
(the labels of most public recipes keep it and the model's own shift prepends another; transformers issue 29973).

No loss is taken on the previous text, nor on language, task and ``<|notimestamps|>``: they are given when decoding,
and training on a constant would wear down language identification and timestamps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import WhisperTokenizer

from parlure.errors import ParlureError

IGNORED = -100  # what cross-entropy skips
MAX_TOKENS = 448  # decoder positions of every public Whisper
TIMESTAMP_STEP_S = 0.02
_N_STEPS = 1500  # of the 30 s window: <|0.00|> to <|30.00|>
LANGUAGE_TOKENS = "language_tokens"  # of a tokenizer's settings: languages it was taught, see :mod:`.languages`
LENT_TOKENS = "lent_tokens"  # of a base's, in memory alone: languages that it lacks → those it is asked for instead
MAX_PROMPT_TOKENS = MAX_TOKENS // 2 - 1  # openai/whisper decoding.py keeps as much of the previous text


def token_id(tokenizer: WhisperTokenizer, token: str) -> int | None:
    """The id of a token, or None; without the copy of the whole vocabulary that ``get_vocab`` makes (18 ms)."""
    found = tokenizer.backend_tokenizer.token_to_id(token)
    return None if found is None else int(found)


@dataclass(frozen=True)
class SpecialTokens:
    """Ids that depend on the vocabulary (large-v3 has one more language, so they are looked up, not assumed)."""

    start: int
    end: int
    previous: int
    no_speech: int
    transcribe: int
    translate: int
    no_timestamps: int
    timestamp_begin: int

    @classmethod
    def of(cls, tokenizer: WhisperTokenizer) -> SpecialTokens:
        """Read them from a tokenizer."""

        def find(*names: str) -> int:
            for name in names:
                if (found := token_id(tokenizer, name)) is not None:
                    return found
            raise ParlureError(f"the tokenizer has no token {names[0]}", "use the tokenizer of a multilingual Whisper")

        no_timestamps = find("<|notimestamps|>")
        return cls(
            start=find("<|startoftranscript|>"),
            end=find("<|endoftext|>"),
            previous=find("<|startofprev|>"),
            no_speech=find("<|nospeech|>", "<|nocaptions|>"),
            transcribe=find("<|transcribe|>"),
            translate=find("<|translate|>"),
            no_timestamps=no_timestamps,
            timestamp_begin=no_timestamps + 1,
        )


@dataclass(frozen=True)
class Labels:
    """What the decoder reads and what it is asked for, position by position; both of length ``n_tokens``."""

    inputs: tuple[int, ...]
    targets: tuple[int, ...]

    @property
    def n_scored(self) -> int:
        """How many positions bear loss."""
        return sum(target != IGNORED for target in self.targets)


def language_tokens(tokenizer: WhisperTokenizer) -> dict[str, dict[str, str]]:
    """The languages that a tokenizer was taught beside Whisper's: code → ``{"token", "like"}``, codes of Whisper's."""
    return dict(tokenizer.init_kwargs.get(LANGUAGE_TOKENS) or {})


def language_token(tokenizer: WhisperTokenizer, language: str) -> str | None:
    """The token of a language, such as ``<|fr|>``; None where there is none, or another language has taken it over."""
    taught = language_tokens(tokenizer)
    if language in taught:
        return f"<|{taught[language]['token']}|>"
    language = (tokenizer.init_kwargs.get(LENT_TOKENS) or {}).get(language, language)
    if any(how["token"] == language for how in taught.values()):
        return None
    return f"<|{language}|>" if token_id(tokenizer, f"<|{language}|>") is not None else None


def encode_text(tokenizer: WhisperTokenizer, text: str) -> list[int]:
    """Ids of a transcript, with the leading space Whisper writes; what looks like a control token stays text."""
    ids: list[int] = []
    parts = (" " + text.strip()).split("<|")
    for index, part in enumerate(parts):
        piece = ("|" if index else "") + part + ("<" if index < len(parts) - 1 else "")
        ids += tokenizer.encode(piece, add_special_tokens=False)
    return ids


def prompt_ids(tokenizer: WhisperTokenizer, language: str, task: str, timestamps: bool = False) -> list[int]:
    """Start, language, task and, unless ``timestamps``, ``<|notimestamps|>``.

    Raises:
        ParlureError: Whisper does not know the language or the task.
    """
    token = language_token(tokenizer, language)
    spoken = None if token is None else token_id(tokenizer, token)
    if spoken is None:
        raise ParlureError(f"this Whisper has no language {language!r}", "give its code: fr, en, de, …")
    if task not in ("transcribe", "translate"):
        raise ParlureError(f"there is no task {task!r}", "use transcribe or translate")
    special = SpecialTokens.of(tokenizer)
    ids = [special.start, spoken, special.translate if task == "translate" else special.transcribe]
    return ids if timestamps else [*ids, special.no_timestamps]


def previous_ids(tokenizer: WhisperTokenizer, text: str) -> list[int]:
    """``<|startofprev|>`` and a text, to stand before :func:`prompt_ids`: as if it had been said just before.

    Raises:
        ParlureError: it is longer than Whisper reads; nothing is cut off.
    """
    ids = encode_text(tokenizer, text)
    if len(ids) > MAX_PROMPT_TOKENS:
        raise ParlureError(
            f"the prompt has {len(ids)} tokens, and Whisper reads {MAX_PROMPT_TOKENS}",
            "shorten it to its rarest words",
        )
    return [SpecialTokens.of(tokenizer).previous, *ids]


def encode_labels(
    tokenizer: WhisperTokenizer,
    text: str,
    *,
    utterance_id: str,
    language: str,
    task: str = "transcribe",
    segments: Sequence[tuple[float, float, str]] | None = None,
    previous: str | None = None,
) -> Labels:
    """The labels of one utterance.

    Args:
        tokenizer: the model's.
        text: the transcript; the empty string means *no speech*: ``<|nospeech|>`` is asked for after the start,
            and the end right after the prompt.
        utterance_id: for the message.
        language: Whisper's code.
        task: ``transcribe`` or ``translate``.
        segments: phrases as (start s, end s, text); with them the target carries timestamps.
        previous: what was said before; kept from its end, as much as Whisper reads and the text leaves room for.

    Raises:
        ParlureError: more than 448 tokens, a phrase outside of 0 to 30 s, or an unknown language or task.
    """
    special = SpecialTokens.of(tokenizer)
    prompt = prompt_ids(tokenizer, language, task, timestamps=bool(segments))
    if segments:
        body = [id_ for segment in segments for id_ in _timed(tokenizer, special, segment, utterance_id)]
    else:
        body = encode_text(tokenizer, text) if text else []
    room = min(MAX_PROMPT_TOKENS, MAX_TOKENS - len(prompt) - len(body) - 2)  # 2: that a text goes before, and the end
    before = [special.previous, *encode_text(tokenizer, previous)[-room:]] if previous and room > 0 else []
    sequence = [*before, *prompt, *body, special.end]
    if len(sequence) > MAX_TOKENS:
        raise ParlureError(
            f"utterance {utterance_id} has {len(sequence)} label tokens, Whisper takes {MAX_TOKENS}",
            "split it into shorter spans, or check that its transcript belongs to its audio",
        )
    inputs, targets = sequence[:-1], sequence[1:]
    n_given = len(before) + len(prompt) - 1  # targets that decoding is given
    targets[:n_given] = [IGNORED] * n_given
    if not body:
        targets[len(before)] = special.no_speech
    return Labels(tuple(inputs), tuple(targets))


def behind(labels: Labels, previous: Sequence[int]) -> Labels:
    """The labels behind a previous text, ``<|startofprev|>`` and its ids, which bears no loss."""
    return Labels((*previous, *labels.inputs), (*[IGNORED] * len(previous), *labels.targets))


def without_previous(labels: Labels, special: SpecialTokens) -> Labels:
    """The labels from the start token on."""
    start = labels.inputs.index(special.start)
    return Labels(labels.inputs[start:], labels.targets[start:])


def at_another_speed(labels: Labels, speed: float, special: SpecialTokens) -> Labels:
    """The labels with their phrase times divided by a speed; what is said stays."""

    def moved(id_: int) -> int:
        begin = special.timestamp_begin
        return id_ if id_ < begin else begin + min(_N_STEPS, round((id_ - begin) / speed))

    return Labels(tuple(map(moved, labels.inputs)), tuple(map(moved, labels.targets)))


def _timed(
    tokenizer: WhisperTokenizer, special: SpecialTokens, segment: tuple[float, float, str], utterance_id: str
) -> list[int]:
    start_s, end_s, text = segment[:3]
    first, last = (round(time / TIMESTAMP_STEP_S) for time in (start_s, end_s))
    if not 0 <= first <= last <= _N_STEPS:
        raise ParlureError(
            f"utterance {utterance_id} has a phrase from {start_s:g} to {end_s:g} s, Whisper hears 0 to 30 s",
            "times of phrases count in seconds from the utterance's start; split what is longer than 30 s",
        )
    return [special.timestamp_begin + first, *encode_text(tokenizer, text), special.timestamp_begin + last]
