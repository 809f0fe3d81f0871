"""``WS /v1/live``: sound comes in while it is spoken, texts go out: the phrase so far, every phrase that is over."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from parlure.shipping.server.door import TOLD, is_token
from parlure.shipping.server.phrase import Agreement, Phrase, Piece
from parlure.shipping.server.refusal import RefusedError
from parlure.shipping.server.service import Service
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.interface import TimedEngine
from parlure.transcribing.hypothesis import Hypothesis

_PIECE = SAMPLE_RATE // 2  # samples that are looked at together
_PASS_S = 1.0  # of new sound between two passes over a phrase, at the least
_SLOWER = 1.5  # times what the last pass took: more, where the machine is slow, so that it does not fall behind
_ENCODINGS: dict[str, np.dtype[Any]] = {"pcm_s16le": np.dtype("<i2"), "pcm_f32le": np.dtype("<f4")}
_FIELDS = frozenset({"type", "model", "language", "prompt", "encoding", "sample_rate", "token"})
_POLICY, _LATER, _BROKEN = 1008, 1013, 1011  # of RFC 6455 and its registry: why a server closes


@dataclass(frozen=True)
class _Start:
    """What a session asks for."""

    model: str
    engine: TimedEngine
    options: DecodingOptions
    encoding: str


class Live:
    """The endpoint of one service."""

    def __init__(self, service: Service, token: str | None) -> None:
        self._service, self._token = service, token

    async def session(self, websocket: WebSocket) -> None:
        """One session, from its first message to its last; an error is told before it closes."""
        told = websocket.scope[TOLD]
        told["route"] = "live"
        await websocket.accept()
        service = self._service
        is_counted = service.n_live < service.limits.live
        service.n_live += is_counted
        service.metrics.live.set(service.n_live)
        try:
            if not is_counted:
                raise service.busy(f"{service.n_live} live sessions are open")
            start = await self._start(websocket)
            told["model"] = start.model
            await websocket.send_json({"type": "ready"})
            await _Session(service, websocket, start).run(told)
            await websocket.close()
        except WebSocketDisconnect:
            pass
        except RefusedError as error:
            told["code"] = error.code
            await _close(websocket, error)
        finally:
            service.n_live -= is_counted
            service.metrics.live.set(service.n_live)

    async def _start(self, websocket: WebSocket) -> _Start:
        message = await _next(websocket, self._service.limits.live_idle_s)
        asked = _told(message)
        if asked.get("type") != "start":
            raise RefusedError(400, 'the first message is {"type": "start", "model": …}', "invalid_message")
        bearer = websocket.headers.get("authorization", "").removeprefix("Bearer ")
        if not any(is_token(self._token, given) for given in (bearer, str(asked.get("token", "")))):
            raise RefusedError(401, "this needs a token in the first message", "invalid_api_key", "token")
        if unknown := sorted(set(asked) - _FIELDS):
            raise RefusedError(400, f"there is no {unknown[0][:40]} here", "unknown_parameter", unknown[0][:40])
        encoding, rate = str(asked.get("encoding", "pcm_s16le")), asked.get("sample_rate", SAMPLE_RATE)
        if encoding not in _ENCODINGS:
            raise RefusedError(400, f"encoding is {' or '.join(_ENCODINGS)}", "invalid_value", "encoding")
        if rate != SAMPLE_RATE:
            raise RefusedError(400, f"sample_rate is {SAMPLE_RATE}", "invalid_value", "sample_rate")
        for name in ("model", "language", "prompt"):
            if not isinstance(asked.get(name, ""), str | None):
                raise RefusedError(400, f"{name} is no text", "invalid_type", name)
        model = self._service.model(asked.get("model") or "")
        options = self._service.options(
            model.engine, asked.get("language") or None, asked.get("prompt") or None, "transcribe"
        )
        return _Start(model.id, model.engine, options, encoding)


class _Session:
    """Phrases of one session."""

    def __init__(self, service: Service, websocket: WebSocket, start: _Start) -> None:
        self._service, self._websocket, self._asked = service, websocket, start
        self._phrase, self._agreement = Phrase(), Agreement()
        self._heard_s = self._pass_s = 0.0  # up to where the last pass went, and how long it took

    async def run(self, told: dict[str, Any]) -> None:
        """Until the client stops.

        Raises:
            RefusedError: a message is none that is understood, or none came for too long.
            WebSocketDisconnect: the client is gone.
        """
        while True:
            message = await _next(self._websocket, self._service.limits.live_idle_s)
            if message.get("bytes") is None:
                if _told(message).get("type") != "stop":
                    raise RefusedError(400, 'sound, or {"type": "stop"}, is what may come now', "invalid_message")
                break
            for samples in _pieces(message["bytes"], self._asked.encoding):
                self._phrase.add(samples)
                self._service.metrics.audio_s.inc(len(samples) / SAMPLE_RATE)
                told["audio_s"] = round(self._phrase.reached_s, 3)
                await self._go_on()
        if self._phrase.is_spoken():
            await self._end(self._phrase.so_far())
        await self._websocket.send_json({"type": "done", "duration": round(self._phrase.reached_s, 3)})

    async def _go_on(self) -> None:
        if self._phrase.is_over():
            await self._end(self._phrase.take())
            self._heard_s = self._phrase.reached_s
        elif self._phrase.is_spoken():
            new_s = self._phrase.reached_s - self._heard_s
            if new_s >= max(_PASS_S, _SLOWER * self._pass_s):
                piece = self._phrase.so_far()
                found = await self._decode(piece)
                self._heard_s = self._phrase.reached_s
                stable, unstable = self._agreement.update(found.text)
                message = {"type": "partial", "stable": stable, "unstable": unstable, "start": piece.start}
                await self._websocket.send_json(message)
        else:
            self._heard_s = self._phrase.reached_s

    async def _end(self, piece: Piece) -> None:
        found = await self._decode(piece)
        self._agreement = Agreement()
        message = {
            "type": "final",
            "text": found.text,
            "start": piece.start,
            "end": piece.end,
            "language": found.language,
        }
        await self._websocket.send_json(message)

    async def _decode(self, piece: Piece) -> Hypothesis:
        clock = time.monotonic()
        job = self._service.worker.short(self._asked.engine, piece.samples, self._asked.options)
        found = await self._service.wait(job, self._service.limits.request_s)
        self._pass_s = time.monotonic() - clock
        return found


async def _next(websocket: WebSocket, idle_s: float) -> dict[str, Any]:
    """The next message.

    Raises:
        RefusedError: none came for so many seconds.
        WebSocketDisconnect: the client is gone.
    """
    try:
        message = await asyncio.wait_for(websocket.receive(), idle_s)
    except TimeoutError:
        raise RefusedError(408, f"nothing came for {idle_s:g} s", "idle") from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    return dict(message)


def _told(message: dict[str, Any]) -> dict[str, Any]:
    """A JSON message; an empty one where it is something else."""
    try:
        found = json.loads(message.get("text") or "null")
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _pieces(data: bytes, encoding: str) -> Iterator[Samples]:
    """A binary message as samples within ±1, half a second at a time."""
    numbers = _ENCODINGS[encoding]
    if len(data) % numbers.itemsize:
        raise RefusedError(400, f"{len(data)} bytes are no whole samples of {encoding}", "invalid_audio")
    samples = np.frombuffer(data, numbers).astype(np.float32)
    if numbers.kind == "i":
        samples *= np.float32(2**-15)
    if not np.isfinite(samples).all():
        raise RefusedError(400, "some samples are no numbers (NaN or infinite)", "invalid_audio")
    for first in range(0, len(samples), _PIECE):
        yield samples[first : first + _PIECE]


async def _close(websocket: WebSocket, error: RefusedError) -> None:
    """Say what is wrong, and close; the client may be gone meanwhile."""
    code = _LATER if error.status == 429 else _BROKEN if error.status >= 500 else _POLICY
    try:
        await websocket.send_json({"type": "error", **error.body()})
        await websocket.close(code)
    except (WebSocketDisconnect, RuntimeError):
        pass
