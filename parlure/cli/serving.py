"""The command that answers requests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.cli.arguments import DECODABLE_HELP, Engine, Quantize, Window
from parlure.ending import say


@app.command()
def serve(
    models: Annotated[list[str], Argument(help=f"[NAME=]MODEL …; each {DECODABLE_HELP}.", metavar="[NAME=]MODEL…")],
    host: Annotated[str, Option(help="Address of this machine to listen on.")] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    token: Annotated[
        str | None, Option(help="That requests have to bring; better in the environment, as PARLURE_TOKEN.")
    ] = None,
    engine: Engine = None,
    quantize: Quantize = None,
    window: Window = "full",
    corpus: Annotated[Path | None, Option(help="Corpus whose utterances the studio plays, to be heard again.")] = None,
    report: Annotated[Path | None, Option(help="Report of it, which the studio shows.")] = None,
    split: Annotated[str, Option(help="Of the corpus.")] = "test",
    max_upload: Annotated[float, Option(help="Of a request, in MB.")] = 25.0,
    max_duration: Annotated[float, Option(help="Of a recording, in seconds.")] = 7200.0,
    max_queue: Annotated[int, Option(help="Requests at once.")] = 128,
    timeout: Annotated[float, Option(help="Of a request, in seconds after its upload.")] = 600.0,
    max_batch: Annotated[int, Option(help="Short requests that are decoded together.")] = 16,
    max_live: Annotated[int, Option(help="Live sessions at once.")] = 8,
) -> None:
    """Models behind OpenAI's API, until Ctrl-C, and the studio: a page to speak to them, and to compare them."""
    import sys

    from parlure.shipping.server.limits import Limits
    from parlure.shipping.server.serving import serve as run_serve

    def ready(url: str) -> None:
        give(f"{url}/v1\n")
        sys.stdout.flush()
        say(f"studio: {url}/  (Ctrl-C ends it)")

    limits = Limits(
        upload_mb=max_upload, duration_s=max_duration, held_s=max(14_400.0, max_duration), queue=max_queue,
        request_s=timeout, batch=max_batch, live=max_live,
    )  # fmt: skip
    run_serve(
        models, host=host, port=port, token=token, engine=engine, quantize=quantize, window=window, limits=limits,
        corpus=corpus, report=report, split=split, ready=ready,
    )  # fmt: skip
    say("stopped")
