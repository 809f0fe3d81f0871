"""The command with which a person corrects a corpus by ear."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.cli.arguments import MODEL_HELP
from parlure.ending import say
from parlure.errors import ParlureError

if TYPE_CHECKING:
    from parlure.transcribing.correct import Worklist


@app.command()
def correct(
    run: Annotated[str, Argument(help=f"Whose ears help: {MODEL_HELP}.")],
    corpus: Annotated[Path | None, Option(help="Corpus folder; the one that RUN was tuned on when not given.")] = None,
    split: Annotated[Literal["train", "dev", "test", "all"], Option(help="Which utterances.")] = "all",
    base: Annotated[bool, Option("--base", help="Show what the run's base hears too; takes twice the time.")] = False,
    list_: Annotated[bool, Option("--list", help="Print the most suspicious ones, and open no page.")] = False,
    top: Annotated[int, Option(min=1, help="How many of them --list prints.")] = 50,
    as_json: Annotated[bool, Option("--json", help="Print them as JSON lines.")] = False,
    apply: Annotated[Path | None, Option(help="JSONL or CSV of corrections (id, text) to put into the corpus.")] = None,
    undo: Annotated[bool, Option("--undo", help="Take back the last correction.")] = False,
    who: Annotated[str | None, Option(help="Name for the history; the user's when not given.")] = None,
    host: Annotated[
        str, Option(help="Address of this machine to listen on; other than 127.0.0.1, others can reach it.")
    ] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535, help="0: any that is free.")] = 0,
    browser: Annotated[bool, Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
) -> None:
    """The transcripts most worth hearing, in a page to hear and correct them; the corpus is changed, with a history."""
    if apply is not None or undo:
        _without_page(run, corpus, apply, undo, who)
        return
    from parlure.console import Console
    from parlure.transcribing.correct import correct as run_correct

    with Console().bar("listening") as bar:
        worklist = run_correct(run, corpus, split=split, base=base, progress=bar)
    for line in worklist.lines():
        say(line)
    if list_ or as_json:
        _print(worklist, top, as_json)
        return
    _serve(worklist, who, host, port, browser)


def _without_page(run: str, corpus: Path | None, apply: Path | None, undo: bool, who: str | None) -> None:
    """Put corrections in, or take the last one back; no model is needed."""
    from parlure.corpus.correcting.desk import corrected
    from parlure.corpus.correcting.listed import apply_corrections

    if apply is not None and undo:
        raise ParlureError("--apply and --undo are two things", "give one of them")
    if corpus is None:
        from parlure.transcribing.correct import corpus_of

        corpus = corpus_of(run)
    with corrected(corpus, who) as desk:
        if apply is not None:
            said = apply_corrections(desk, apply).lines()
        else:
            taken_back = desk.undo().correction
            said = [f"{taken_back.id}: line {taken_back.undoes} of the history was taken back"]
    for line in [*desk.notes, *said]:
        say(line)


def _print(worklist: Worklist, top: int, as_json: bool) -> None:
    import json

    from parlure.corpus.correcting.history import History
    from parlure.corpus.correcting.ranking import table

    done = {one.id for one in History(worklist.corpus.folder).standing()}
    shown = [one for one in worklist.suspects if one.utterance.id not in done][:top]
    if as_json:
        give("".join(json.dumps(one.to_json(), ensure_ascii=False) + "\n" for one in shown))
    else:
        give(table(shown))
    say(f"{len(shown)} of {len(worklist.suspects)} shown; {len(done)} were heard by a person before")


def _serve(worklist: Worklist, who: str | None, host: str, port: int, browser: bool) -> None:
    import sys
    from contextlib import nullcontext

    from parlure.corpus.correcting.answers import CorrectingAnswers
    from parlure.corpus.correcting.desk import corrected
    from parlure.corpus.explore.browser import shown_in_browser
    from parlure.corpus.explore.server import CorpusServer

    with corrected(worklist.corpus.folder, who) as desk:
        for line in desk.notes:
            say(line)
        n_before = len(desk.history.lines)
        answers = CorrectingAnswers(desk, worklist.suspects, len(worklist.not_heard))
        with CorpusServer(answers, host, port) as server:
            give(server.url + "\n")
            sys.stdout.flush()
            if not server.private:
                say(
                    f"warning: {host} can be reached from other machines: whoever has the address can change the corpus"
                )
            say("Ctrl-C ends it; what is saved is saved")
            try:
                with shown_in_browser(server.url) if browser else nullcontext():
                    server.serve_forever()
            except KeyboardInterrupt:
                n_new = len(desk.history.lines) - n_before
                lines = "line was" if n_new == 1 else "lines were"
                say(f"\nclosed; {n_new} {lines} added to {desk.folder / 'corrections.jsonl'}")
