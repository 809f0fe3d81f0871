"""The application: routes behind a door, a worker for as long as it lives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from parlure.shipping.server.door import OWN_NAMES, TOLD, Door, to_stderr
from parlure.shipping.server.limits import Limits
from parlure.shipping.server.live import Live
from parlure.shipping.server.models import ServedModel
from parlure.shipping.server.refusal import RefusedError
from parlure.shipping.server.routes import Routes
from parlure.shipping.server.service import Service
from parlure.transcribing.decode import DecodingOptions


def create_app(
    models: Mapping[str, ServedModel],
    *,
    limits: Limits | None = None,
    token: str | None = None,
    decoding: DecodingOptions | None = None,
    n_threads: int = 1,
    pages: Sequence[BaseRoute] = (),
    names: frozenset[str] = OWN_NAMES,
    log: Callable[[str], None] = to_stderr,
) -> Starlette:
    """An ASGI application that answers as OpenAI's API does.

    Args:
        models: by name, as :func:`parlure.shipping.server.models.open_models` loads them.
        limits: what is refused; None are the usual ones.
        token: that every request but ``/health`` and the pages needs, or None.
        decoding: how, but for language, prompt and task.
        n_threads: that decode at once; more than one is for CTranslate2.
        pages: further routes, such as the studio's; those under ``/v1`` and ``/studio/data`` need the token.
        names: hosts that are answered to without a token.
        log: takes a line of JSON for each request, without texts and tokens.
    """
    service = Service(models, limits or Limits(), decoding or DecodingOptions(), n_threads)
    routes, live = Routes(service, token), Live(service, token)
    table: list[BaseRoute] = [
        Route("/v1/audio/transcriptions", routes.transcriptions, methods=["POST"]),
        Route("/v1/audio/translations", routes.translations, methods=["POST"]),
        Route("/v1/models", routes.models),
        Route("/v1/models/{name:path}", routes.model),
        WebSocketRoute("/v1/live", live.session),
        Route("/health", routes.health),
        Route("/metrics", routes.metrics),
        *pages,
    ]

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            await service.stop()

    return Starlette(
        routes=table,
        lifespan=life,
        middleware=[Middleware(Door, service=service, token=token, names=names, log=log)],
        exception_handlers={
            RefusedError: _refused,
            HTTPException: _http_error,
            ClientDisconnect: _gone,
            MemoryError: _memory,
            Exception: _bug,
        },
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    request.scope[TOLD]["code"] = error.code
    return error.response()


async def _http_error(request: Request, error: Exception) -> Response:
    """What Starlette refuses itself: an unknown path or method, a form that cannot be read."""
    assert isinstance(error, HTTPException)
    path = request.url.path[:80]
    code, message = {
        404: ("unknown_url", f"there is nothing at {path}"),
        405: ("wrong_method", f"{path} does not take {request.method}"),
    }.get(error.status_code, ("invalid_request", str(error.detail)))
    return await _refused(request, RefusedError(error.status_code, message, code))


async def _gone(request: Request, error: Exception) -> Response:
    """The client left while it was uploading: nobody reads this."""
    return Response(status_code=499)


async def _memory(request: Request, error: Exception) -> Response:
    return await _refused(request, RefusedError(503, "there is not enough memory for this", "out_of_memory"))


async def _bug(request: Request, error: Exception) -> Response:
    return RefusedError(500, "this is a bug in parlure; the server's log says more", "internal_error").response()
