"""MODEL → a server that answers until it is stopped: what the command ``parlure serve`` does."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from parlure.errors import ParlureError, missing_extra
from parlure.shipping.server.limits import Limits
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.interface import EngineName
from parlure.whisper.conversion import Quantization
from parlure.whisper.load import tuned_for_short

TOKEN_VARIABLE = "PARLURE_TOKEN"
_GRACE_S = 30  # that requests under way have when the server stops
_MESSAGE_BYTES = 1 << 20  # of a live session's message


def serve(
    models: Sequence[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    engine: EngineName | None = None,
    quantize: Quantization | None = None,
    window: Literal["full", "short"] = "full",
    limits: Limits | None = None,
    corpus: Path | None = None,
    report: Path | None = None,
    split: str = "test",
    ready: Callable[[str], None] | None = None,
    log: Callable[[str], None] | None = None,
) -> None:
    """Load models and answer requests for them until the process is told to stop (Ctrl-C, SIGTERM).

    Requests under way are finished, new ones refused.

    Args:
        models: each MODEL or ``NAME=MODEL``.
        host: address of this machine to listen on.
        port: 0 is any that is free.
        token: that requests have to bring; None takes ``PARLURE_TOKEN`` from the environment.
        engine: by which library; None is torch, or CTranslate2 where a model is its folder.
        quantize: the numbers CTranslate2 multiplies.
        window: ``short`` decodes what lasts at most 30 s in windows of its own length, with runs tuned on such.
        limits: what is refused; None are the usual ones.
        corpus: whose utterances the studio plays, and has heard again.
        report: of it, which the studio shows.
        split: of the corpus.
        ready: called with the server's address when it answers; None writes it to stderr.
        log: takes a line for each model, and one of JSON for each request; None writes them to stderr.

    Raises:
        ParlureError: a model, the corpus or the report cannot be used, the address cannot be listened on, other
            machines could reach it without a token, or ``parlure[serve]`` is not installed.
    """
    token = token or os.environ.get(TOKEN_VARIABLE) or None
    if not is_loopback(host) and token is None:
        raise ParlureError(
            f"other machines can reach {host}, and there is no token", f"set {TOKEN_VARIABLE}, or listen on 127.0.0.1"
        )
    try:
        import uvicorn

        from parlure.shipping.server.app import create_app
        from parlure.shipping.server.door import to_stderr
        from parlure.shipping.server.models import named_models, open_models
        from parlure.shipping.studio.examples import Examples
        from parlure.shipping.studio.routes import Studio
    except ImportError as error:
        raise missing_extra(error.name or "starlette", "serve", "parlure serve") from error
    log, ready = log or to_stderr, ready or to_stderr
    named = named_models(models)
    for name, model in named.items():
        if window == "short" and not tuned_for_short(model):
            raise ParlureError(
                f"{name} is not known to be tuned on short windows, in which an untuned Whisper goes round in circles",
                "leave out --window short, or give the run folder of a tuning with full_window_share below 1",
            )
    examples = Examples(corpus, report, split)
    with listening(host, port) as sock:
        opened = open_models(named, engine, quantize)
        for one in opened.values():
            log(f"{one.id}: {one.how}")
        app = create_app(
            opened,
            limits=limits,
            token=token,
            decoding=DecodingOptions(window=window),
            pages=Studio(opened, examples).routes(),
            log=log,
        )
        address = sock.getsockname()
        url = f"http://{f'[{host}]' if ':' in host else host}:{address[1]}"
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=_MESSAGE_BYTES,
            timeout_graceful_shutdown=_GRACE_S,
        )
        with suppress(KeyboardInterrupt):  # uvicorn has stopped already, and raises again what it was stopped by
            _announcing(config, lambda: ready(url)).run(sockets=[sock])


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        ParlureError: the address is taken, or is none of this machine's.
    """
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except (OSError, OverflowError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ParlureError(
            f"{host}:{port} cannot be listened on: {said}", "choose another --port; 0 takes any that is free"
        ) from error


def _announcing(config: Any, ready: Callable[[], None]) -> Any:
    """A uvicorn server that says when it answers."""
    import uvicorn

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

    return Announcing(config)
