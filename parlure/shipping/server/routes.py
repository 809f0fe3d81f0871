"""What OpenAI's API has for sound: transcriptions, translations, models; and health and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from parlure.shipping.server.door import TOLD, is_token
from parlure.shipping.server.fields import Asked, read_form
from parlure.shipping.server.formats import (
    Heard,
    as_json,
    as_plain,
    as_verbose,
    duration_s,
    event,
    usage,
)
from parlure.shipping.server.refusal import RefusedError
from parlure.shipping.server.service import Service
from parlure.speech.audio import Samples
from parlure.speech.features import N_WINDOW_SAMPLES

T = TypeVar("T")

_FIELD_BYTES = 65_536  # of a form's field that is no file


class Routes:
    """The endpoints of one service."""

    def __init__(self, service: Service, token: str | None) -> None:
        self._service, self._token = service, token

    async def transcriptions(self, request: Request) -> Response:
        """``POST /v1/audio/transcriptions``."""
        return await self._hear(request, "transcribe")

    async def translations(self, request: Request) -> Response:
        """``POST /v1/audio/translations``."""
        return await self._hear(request, "translate")

    async def models(self, request: Request) -> Response:
        """``GET /v1/models``."""
        request.scope[TOLD]["route"] = "models"
        data = [model.to_json() for model in self._service.models.values()]
        return JSONResponse({"object": "list", "data": data})

    async def model(self, request: Request) -> Response:
        """``GET /v1/models/ID``."""
        request.scope[TOLD]["route"] = "models"
        return JSONResponse(self._service.model(request.path_params["name"]).to_json())

    async def health(self, request: Request) -> Response:
        """``GET /health``: 503 while the server stops."""
        request.scope[TOLD]["route"] = "health"
        stopping = self._service.stopping
        body: dict[str, Any] = {"status": "stopping" if stopping else "ready", "queue": len(self._service.worker)}
        if is_token(self._token, request.headers.get("authorization", "").removeprefix("Bearer ")):
            body["models"] = list(self._service.models)
        return JSONResponse(body, 503 if stopping else 200)

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics``."""
        request.scope[TOLD]["route"] = "metrics"
        return Response(self._service.metrics.text(), media_type="text/plain; version=0.0.4")

    async def _hear(self, request: Request, task: str) -> Response:
        told = request.scope[TOLD]
        told["route"] = "transcriptions" if task == "transcribe" else "translations"
        async with request.form(max_files=1, max_fields=32, max_part_size=_FIELD_BYTES) as form:
            asked, upload = read_form(form, task)
            engine = self._service.model(asked.model).engine
            told["model"] = asked.model
            self._service.options(engine, asked.language, asked.prompt, task)  # refused before the sound is read
            samples = await self._service.read(upload.file, told)
        told["audio_s"] = round(duration_s(samples), 3)
        if asked.stream:
            return StreamingResponse(self._events(asked, samples), media_type="text/event-stream")
        needs_times = asked.form in ("srt", "vtt", "verbose_json")
        return _answer(asked, await _while_there(request, self._service.hear(asked, samples, needs_times)))

    async def _events(self, asked: Asked, samples: Samples) -> AsyncIterator[str]:
        """Phrases as they come, then the whole text; a short recording's is that of the same request without stream."""
        texts: list[str] = []
        try:
            if len(samples) <= N_WINDOW_SAMPLES:
                heard = await self._service.hear(asked, samples, needs_times=False)
                texts.append(heard.text)
                yield event(_delta(heard.text, 0.0, heard.duration_s))
            else:
                async for window, _ in self._service.steps(asked, samples):
                    for phrase in window.phrases:
                        if phrase.text:
                            delta = " " * bool(texts) + phrase.text
                            texts.append(phrase.text)
                            yield event(_delta(delta, phrase.start, phrase.end))
        except RefusedError as error:
            yield event(error.body())  # the status is sent already
            return
        done = {"type": "transcript.text.done", "text": " ".join(texts), "usage": usage(duration_s(samples))}
        yield event(done)


async def _while_there(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives; it is given up when the client leaves.

    Raises:
        ClientDisconnect: it has left.
    """
    task, left = asyncio.ensure_future(work), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        left.cancel()


def _delta(text: str, start_s: float, end_s: float) -> dict[str, Any]:
    return {"type": "transcript.text.delta", "delta": text, "start": start_s, "end": round(end_s, 2)}


def _answer(asked: Asked, heard: Heard) -> Response:
    if asked.form == "json":
        return JSONResponse(as_json(heard))
    if asked.form == "verbose_json":
        return JSONResponse(as_verbose(heard, asked.task, asked.granularities))
    return PlainTextResponse(as_plain(heard, asked.form))
