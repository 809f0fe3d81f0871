"""The command that shows a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.ending import say


@app.command()
def explore(
    corpus: Annotated[Path, Argument(help="Corpus folder.")],
    host: Annotated[
        str, Option(help="Address of this machine to listen on; other than 127.0.0.1, others can reach it.")
    ] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535, help="0: any that is free.")] = 0,
    browser: Annotated[bool, Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
) -> None:
    """A page in the browser to listen to a corpus, look at it, and choose from it; nothing is changed."""
    import sys
    from contextlib import nullcontext

    from parlure.corpus.explore.browser import shown_in_browser
    from parlure.corpus.explore.server import open_server

    with open_server(corpus, host, port) as server:
        give(server.url + "\n")
        sys.stdout.flush()
        if not server.private:
            say(f"warning: {host} can be reached from other machines: whoever has the address can hear the corpus")
        say("Ctrl-C ends it")
        try:
            with shown_in_browser(server.url) if browser else nullcontext():
                server.serve_forever()
        except KeyboardInterrupt:
            say("\nclosed; nothing in the corpus was changed")
