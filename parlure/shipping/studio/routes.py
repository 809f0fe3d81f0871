"""What a server answers for the studio: the page, which holds nothing, and behind the token what it asks for.

A link cannot carry a token, and a token in an address is read by others. So the report is behind a ticket: the page
asks for one with its token, and for an hour it opens the report and nothing else.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from functools import partial
from importlib.resources import files
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from parlure.corpus.explore.document import Document
from parlure.shipping.server.door import PAGE_DATA
from parlure.shipping.server.models import ServedModel
from parlure.shipping.server.refusal import RefusedError, refused
from parlure.shipping.studio.examples import Examples
from parlure.speech.audio import AudioError
from parlure.whisper.languages import language_ids, language_name

_SCRIPTS = ("basics", "words", "listen", "live", "record", "tests", "start")
STUDIO = Document(
    "shipping.studio/page.html",
    ("shipping.studio/page.css",),
    tuple(f"shipping.studio/{name}.js" for name in _SCRIPTS),
    # a sound that was recorded or fetched lies in the browser's memory; the audio thread's script is a file of its own
    local="media-src blob:; worker-src 'self'",
)
_CAPTURE = "capture.js"
_FOR_ALL = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_TICKET_S = 3600.0


class Studio:
    """The page of a server.

    Args:
        models: of the server, base first.
        examples: test utterances and a report, if there are any.
    """

    def __init__(self, models: Mapping[str, ServedModel], examples: Examples) -> None:
        self._models, self._examples = models, examples
        self._policy = STUDIO.policy.replace("script-src ", "script-src 'self' ")
        self._capture = (files("parlure.shipping.studio") / "page" / _CAPTURE).read_bytes()
        self._tickets: dict[str, float] = {}  # ticket → when it ends, in seconds of the monotonic clock

    def routes(self) -> list[BaseRoute]:
        """For the server's application."""
        return [
            Route("/", self._page),
            Route(f"/studio/{_CAPTURE}", self._script),
            Route("/studio/report", self._report),
            Route(f"{PAGE_DATA}/about", self._about),
            Route(f"{PAGE_DATA}/utterances", self._utterances),
            Route(f"{PAGE_DATA}/audio", self._audio),
            Route(f"{PAGE_DATA}/ticket", self._ticket, methods=["POST"]),
        ]

    async def _page(self, request: Request) -> Response:
        return Response(
            STUDIO.page, 200, _FOR_ALL | {"Content-Security-Policy": self._policy}, "text/html; charset=utf-8"
        )

    async def _script(self, request: Request) -> Response:
        return Response(self._capture, 200, _FOR_ALL, "text/javascript")

    async def _report(self, request: Request) -> Response:
        if self._tickets.get(request.query_params.get("ticket", ""), 0.0) <= time.monotonic():
            raise RefusedError(403, "this address is no longer good: take the link in the studio", "old_ticket")
        page = await to_thread.run_sync(self._examples.report)
        if page is None:
            raise RefusedError(404, "this server was given no report", "no_report")
        return Response(page, 200, _FOR_ALL, "text/html; charset=utf-8")

    async def _about(self, request: Request) -> Response:
        known = [_languages(one) for one in self._models.values()]
        codes = set.intersection(*known)
        told: dict[str, Any] = {
            "models": list(self._models),
            "languages": sorted(((code, language_name(code)) for code in codes), key=lambda one: one[1]),
            "sentence": " · ".join(f"{name}: {one.how}" for name, one in self._models.items()),
            "n_utterances": len(self._examples),
            "report": self._examples.sentence,
        }
        return JSONResponse(told, headers=_FOR_ALL)

    async def _utterances(self, request: Request) -> Response:
        asked = request.query_params
        offset = int(place) if (place := asked.get("offset", "")).isascii() and place.isdigit() else 0
        page = self._examples.page(asked.get("search", ""), asked.get("order", ""), offset)
        return JSONResponse(page, headers=_FOR_ALL)

    async def _audio(self, request: Request) -> Response:
        name = request.query_params.get("id", "")
        try:
            sound = await to_thread.run_sync(partial(self._examples.sound, name))
        except AudioError as error:
            raise refused(error, "broken_audio", "id") from error
        if sound is None:
            raise RefusedError(404, f"there is no utterance {name[:200]}", "no_utterance", "id")
        return Response(sound, 200, _FOR_ALL, "audio/wav")

    async def _ticket(self, request: Request) -> Response:
        now = time.monotonic()
        self._tickets = {ticket: end for ticket, end in self._tickets.items() if end > now}
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = now + _TICKET_S
        return JSONResponse({"ticket": ticket}, headers=_FOR_ALL)


def _languages(model: ServedModel) -> set[str]:
    """Codes of the languages that a model knows."""
    return set(language_ids(model.engine.tokenizer))
