"""The command that looks for what is wrong with a corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.cli.arguments import MODEL_HELP
from parlure.ending import GateFailedError, say


@app.command()
def check(
    corpus: Annotated[Path, Argument(help="Corpus folder.")],
    model: Annotated[
        str | None, Option(help=f"Count its tokens, and hold texts and languages against what it hears: {MODEL_HELP}.")
    ] = None,
    strict: Annotated[bool, Option("--strict", help="Exit with 3 if there is an error.")] = False,
    as_json: Annotated[bool, Option("--json", help="Print what was found as JSON.")] = False,
    out: Annotated[Path | None, Option(help="Folder for check.html and the rest; CORPUS/check when not given.")] = None,
    no_audio: Annotated[bool, Option("--no-audio", help="Read the manifest alone.")] = False,
    rule: Annotated[
        list[str] | None, Option(help="code=threshold, or code=off to leave a rule out; any number of times.")
    ] = None,
) -> None:
    """What is wrong with a corpus, before any GPU hour is spent."""
    from parlure.console import Console
    from parlure.corpus.check.check import check as run_check
    from parlure.corpus.check.check import write_check
    from parlure.corpus.check.page.build import check_page
    from parlure.corpus.check.rules import chosen_rules

    chosen_rules(rule or ())  # before a model is loaded
    ears = None
    if model is not None:
        from parlure.transcribing.checking import ModelEars

        ears = ModelEars(model)
    checked = run_check(corpus, out=out, rules=rule or (), audio=not no_audio, ears=ears, bars=Console().bar)
    from parlure.forecast import forecast as run_forecast

    forecast = run_forecast([one.duration_s for one in checked.corpus.select("train")], checked.label_tokens)
    write_check(checked, check_page(checked, forecast, with_sound=not no_audio), forecast)
    if as_json:
        give(json.dumps(checked.to_json(forecast), ensure_ascii=False, indent=2) + "\n")
    else:
        give("".join(line + "\n" for line in checked.lines()))
    say(f"check: {checked.folder / 'check.html'}")
    if strict and (n_errors := checked.count("error")):
        raise GateFailedError(f"{n_errors} errors were found", f"{checked.folder / 'reasons.csv'} names each of them")
