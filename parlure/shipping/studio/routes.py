"""What a server answers for the studio: the page, which holds nothing, and behind the token what it asks for.

A link cannot carry a token, and a token in an address is read by others. So the report is behind a ticket: the page
asks for one with its token, and for an hour it opens the report and nothing else.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from transformers.models.whisper.tokenization_whisper import LANGUAGES

from parlure.corpus.explore.document import Document
from parlure.shipping.studio.examples import Examples
from parlure.speech.audio import AudioError

_SCRIPTS = ("basics", "words", "listen", "live", "record", "tests", "start")
STUDIO = Document(
    "shipping.studio/page.html",
    ("shipping.studio/page.css",),
    tuple(f"shipping.studio/{name}.js" for name in _SCRIPTS),
    # a sound that was recorded or fetched lies in the browser's memory; the audio thread's script is a file of its own
    local="media-src blob:; worker-src 'self'",
)
_CAPTURE = "capture.js"
_TICKET_S = 3600.0
_FOR_ALL = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Tickets:
    """Each opens the report for an hour."""

    def __init__(self) -> None:
        self._open: dict[str, float] = {}  # ticket → when it ends, in seconds of the monotonic clock

    def give(self) -> str:
        """A new one."""
        now = time.monotonic()
        self._open = {ticket: end for ticket, end in self._open.items() if end > now}
        ticket = secrets.token_urlsafe(24)
        self._open[ticket] = now + _TICKET_S
        return ticket

    def good(self, ticket: str) -> bool:
        """Whether it was given, and not long ago."""
        return self._open.get(ticket, 0.0) > time.monotonic()


def page_routes(examples: Examples, tickets: Tickets) -> APIRouter:
    """The page itself and its audio thread's script, for everybody, and the report for who has a ticket."""
    router = APIRouter(include_in_schema=False)
    policy = STUDIO.policy.replace("script-src ", "script-src 'self' ")
    capture = (files("parlure.shipping.studio") / "page" / _CAPTURE).read_bytes()

    @router.get("/")
    def page() -> Response:
        return Response(STUDIO.page, 200, _FOR_ALL | {"Content-Security-Policy": policy}, "text/html; charset=utf-8")

    @router.get(f"/studio/{_CAPTURE}")
    def script() -> Response:
        return Response(capture, 200, _FOR_ALL, "text/javascript")

    @router.get("/studio/report")
    def report(ticket: str = "") -> Response:
        if not tickets.good(ticket):
            raise HTTPException(403, "this address is no longer good: take the link in the studio")
        found = examples.report()
        if found is None:
            raise HTTPException(404, "this server was given no report")
        return Response(found, 200, _FOR_ALL, "text/html; charset=utf-8")

    return router


def data_routes(
    examples: Examples, tickets: Tickets, models: Sequence[str], languages: Sequence[str], sentence: str
) -> APIRouter:
    """What the page asks for; a server puts its own guard before it.

    Args:
        examples: the test utterances and the report.
        tickets: for the report.
        models: names that a request can ask for, base first.
        languages: codes that all of them know.
        sentence: what runs here, for the page's head.
    """
    router = APIRouter(prefix="/studio", include_in_schema=False)

    @router.get("/about")
    def about() -> dict[str, Any]:
        named = sorted(((code, LANGUAGES.get(code, code)) for code in languages), key=lambda one: one[1])
        return {
            "models": list(models), "languages": named, "sentence": sentence,
            "n_utterances": len(examples), "report": examples.sentence,
        }  # fmt: skip

    @router.get("/utterances")
    def utterances(search: str = "", order: str = "", offset: Annotated[int, Query(ge=0)] = 0) -> dict[str, Any]:
        return examples.page(search, order, offset)

    @router.get("/audio")
    def audio(id: str) -> Response:
        try:
            sound = examples.sound(id)
        except AudioError as error:
            raise HTTPException(422, error.message) from error
        if sound is None:
            raise HTTPException(404, f"there is no utterance {id}")
        return Response(sound, 200, _FOR_ALL, "audio/wav")

    @router.post("/ticket")
    def ticket() -> dict[str, str]:
        return {"ticket": tickets.give()}

    return router
