"""Who comes in: where from, with which token, how many at once, how fast and how much; and what is logged of it."""

from __future__ import annotations

import asyncio
import hmac
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parlure.shipping.server.refusal import RefusedError
from parlure.shipping.server.service import Service

TOLD = "parlure"  # in a scope: what routes tell of a request
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
PAGE_DATA = "/studio/data"  # what the page asks for
_OPEN = ("/health", "/v1/live")  # a live session gives its token in its first message
_DRAINED_MB, _DRAINED_S = (
    64,
    5.0,
)  # of a body that was refused: read and dropped, or else a client never reads the answer


class Door:
    """The outermost layer of the application."""

    def __init__(
        self, app: ASGIApp, service: Service, token: str | None, names: frozenset[str], log: Callable[[str], None]
    ) -> None:
        """Wrap an application.

        Args:
            app: what is behind the door.
            service: whose limits and counts these are.
            token: that requests have to bring, or None.
            names: without a token, the only hosts that a request may be for: a web page elsewhere must not reach this
                machine by a name of its own (DNS rebinding).
            log: takes a line of JSON for each request.
        """
        self._app, self._service, self._token, self._names, self._log = app, service, token, names, log
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        told = scope[TOLD] = dict[str, Any]()
        began_s, status = time.monotonic(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._enter(scope, receive, noted)
        except Exception:
            status = status or 500
            raise
        finally:
            self._service.let_go(told)
            self._note(scope, told, status or 499, time.monotonic() - began_s)  # 499: the client had gone

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            try:
                self._check(scope)
            except RefusedError:
                await send({"type": "websocket.close", "code": 1008})  # answered with 403
                return
            await self._app(scope, receive, send)
            return
        works = scope["method"] == "POST"
        body = Body(receive, send, self._service)
        try:
            self._check(scope)
            if works and self._inside >= self._service.limits.queue:
                raise self._service.busy(f"{self._inside} requests are being answered")
            body.check_length(Headers(scope=scope))
        except RefusedError as error:
            await error.response()(scope, body.receive, body.send)
            return
        self._inside += works
        try:
            await self._app(scope, body.receive, body.send)
        finally:
            self._inside -= works

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise RefusedError(403, f"pages of {origin[:80]} may not use this server", "forbidden_origin")
        if self._token is None:
            if host.rsplit(":", 1)[0] not in self._names and host not in self._names:
                raise RefusedError(
                    403, f"there is no token, so nothing is answered under the name {host[:80]}", "forbidden_host"
                )
        elif scope["path"] not in _OPEN and self.is_private(scope["path"]) and not self.knows(headers):
            raise RefusedError(401, "this needs the header Authorization: Bearer TOKEN", "invalid_api_key")

    @staticmethod
    def is_private(path: str) -> bool:
        """Whether a token is asked for: the page and its parts are for everybody, what it shows is not."""
        return path.startswith(("/v1", PAGE_DATA)) or path == "/metrics"

    def knows(self, headers: Headers) -> bool:
        """Whether a request brings the token, if there is one."""
        return is_token(self._token, headers.get("authorization", "").removeprefix("Bearer "))

    def _note(self, scope: Scope, told: dict[str, Any], status: int, seconds: float) -> None:
        route = told.get("route", "other")
        self._service.metrics.requests.labels(route, str(status)).inc()
        self._service.metrics.latency_s.labels(route).observe(seconds)
        row = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "client": (scope.get("client") or ("",))[0],
            "method": scope.get("method", "WS"),
            "path": scope["path"][:200],
            "status": status,
            "seconds": round(seconds, 3),
        }
        row |= {key: told[key] for key in ("model", "audio_s", "code") if key in told}
        self._log(json.dumps(row, ensure_ascii=False))


def to_stderr(line: str) -> None:
    """Where the log goes."""
    sys.stderr.write(line + "\n")


def is_token(token: str | None, given: str) -> bool:
    """Compared in a time that tells nothing of the token; always, where there is none."""
    return token is None or hmac.compare_digest(token.encode(), given.encode("utf-8", "surrogatepass"))


class Body:
    """A request's body as it arrives: counted, and not waited for without end."""

    def __init__(self, receive: Receive, send: Send, service: Service) -> None:
        self._receive, self._send, self._limits = receive, send, service.limits
        self._max_bytes = round(service.limits.upload_mb * 1e6)
        self._n_bytes, self._is_whole, self._deadline_s = 0, False, time.monotonic() + service.limits.upload_s

    def check_length(self, headers: Headers) -> None:
        """Refuse what says itself that it is too large.

        Raises:
            RefusedError: it does.
        """
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._max_bytes:
            raise self._too_large()
        if length == "0" and "transfer-encoding" not in headers:
            self._is_whole = True

    async def receive(self) -> Message:
        """The next message.

        Raises:
            RefusedError: the body is too large, or takes too long.
        """
        if self._is_whole:
            return await self._receive()  # only that the client is gone
        message = await self._next(self._deadline_s)
        if message is None:
            raise RefusedError(408, f"the upload took longer than {self._limits.upload_s:g} s", "upload_timeout")
        if self._n_bytes > self._max_bytes:
            raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        """Send an answer; what still arrives is read first, or the client would see a broken connection instead."""
        if message["type"] == "http.response.start" and not self._is_whole:
            deadline_s, most = time.monotonic() + _DRAINED_S, self._n_bytes + _DRAINED_MB * 1_000_000
            while not self._is_whole and self._n_bytes < most and await self._next(deadline_s) is not None:
                pass
            headers = [*message.get("headers", []), (b"connection", b"close")]
            message = {**message, "headers": headers}
        await self._send(message)

    async def _next(self, deadline_s: float) -> Message | None:
        """The next part, None at the deadline."""
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, deadline_s - time.monotonic()))
        except TimeoutError:
            return None
        self._n_bytes += len(message.get("body", b""))
        self._is_whole = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    def _too_large(self) -> RefusedError:
        return RefusedError(413, f"a request of at most {self._limits.upload_mb:g} MB is taken", "request_too_large")
