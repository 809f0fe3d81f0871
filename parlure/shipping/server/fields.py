"""The form of a request → what it asks for; a field that nobody would heed is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import FormData, UploadFile

from parlure.shipping.server.refusal import RefusedError

FORMS: Final = ("json", "text", "srt", "vtt", "verbose_json")
_GRANULARITIES: Final = ("segment", "word")
_MANY: Final = ("timestamp_granularities[]", "timestamp_granularities")
_KNOWN: Final = frozenset({
    "file", "model", "language", "prompt", "response_format", "temperature", "stream", "chunking_strategy", *_MANY,
})  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        model: its name.
        task: ``transcribe`` or ``translate``.
        language: Whisper's code, or None to identify it.
        prompt: read as if said just before, or None.
        form: of the answer.
        granularities: of verbose_json: ``segment``, ``word``.
        stream: phrases as they come.
    """

    model: str
    task: str
    language: str | None
    prompt: str | None
    form: str
    granularities: tuple[str, ...]
    stream: bool


def read_form(form: FormData, task: str) -> tuple[Asked, UploadFile]:
    """What a form asks for.

    Raises:
        RefusedError: a field is missing, unknown, twice there, or asks for what there is not.
    """
    values: dict[str, str] = {}
    many: list[str] = []
    upload: UploadFile | None = None
    for name, value in form.multi_items():
        if name not in _KNOWN:
            raise RefusedError(
                400, f"there is no {name[:40]} here: what it asks for would not happen", "unknown_parameter", name[:40]
            )
        if isinstance(value, UploadFile) != (name == "file"):
            raise RefusedError(400, f"{name} is {'a file' if name == 'file' else 'no file'}", "invalid_type", name)
        if isinstance(value, UploadFile):
            upload = value
        elif name in _MANY:
            many.append(value)
        elif name in values:
            raise RefusedError(400, f"{name} is given twice", "invalid_value", name)
        else:
            values[name] = value
    if upload is None:
        raise RefusedError(
            400, "there is no file: send it as the form's field file", "missing_required_parameter", "file"
        )
    if not values.get("model"):
        raise RefusedError(400, "no model is named: GET /v1/models lists them", "missing_required_parameter", "model")
    return _asked(values, many, task), upload


def _asked(values: Mapping[str, str], many: Sequence[str], task: str) -> Asked:
    form = _one_of("response_format", values.get("response_format", "json"), FORMS)
    for granularity in many:
        _one_of(_MANY[0], granularity, _GRANULARITIES)
    if many and form != "verbose_json":
        raise RefusedError(
            400, "timestamp_granularities goes with response_format=verbose_json", "invalid_value", _MANY[0]
        )
    stream = _one_of("stream", values.get("stream", "false").lower(), ("true", "false")) == "true"
    if stream and form != "json":
        raise RefusedError(400, f"stream goes with response_format=json, not {form}", "invalid_value", "stream")
    _check_temperature(values.get("temperature", "0"))
    _one_of("chunking_strategy", values.get("chunking_strategy", "auto"), ("auto",))
    return Asked(
        model=values["model"], task=task, language=values.get("language") or None, prompt=values.get("prompt") or None,
        form=form, granularities=tuple(dict.fromkeys(many)) or ("segment",), stream=stream,
    )  # fmt: skip


def _one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        choices = allowed[0] if len(allowed) == 1 else f"{', '.join(allowed[:-1])} or {allowed[-1]}"
        raise RefusedError(400, f"{name} cannot be {value[:40]!r}: {choices}", "invalid_value", name)
    return value


def _check_temperature(text: str) -> None:
    try:
        temperature = float(text)
    except ValueError as error:
        raise RefusedError(400, f"temperature {text[:40]!r} is no number", "invalid_type", "temperature") from error
    if temperature != 0.0:
        raise RefusedError(
            400, "temperature can only be 0: the most probable token is taken at every step, there is no sampling",
            "invalid_value", "temperature",
        )  # fmt: skip
