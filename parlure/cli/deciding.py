"""Commands that say whether to tune, and on how much."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.cli.arguments import DECODABLE_HELP, Engine, Quantize, names_of
from parlure.ending import say
from parlure.errors import ParlureError


@app.command()
def baseline(
    corpus: Annotated[Path, Argument(help="Corpus folder.")],
    out: Annotated[Path, Option(help="Folder of the table to make.")],
    models: Annotated[
        str | None, Option(help=f"Separated by commas, each {DECODABLE_HELP}, wav2vec2, Parakeet or Moonshine.")
    ] = None,
    split: Annotated[str, Option(help="Which split to decode.")] = "test",
    also: Annotated[
        str | None,
        Option(
            help="Settings to try beside the plain one: vad (pauses cut out), language (left to the model), beam (5)."
        ),
    ] = None,
    prompt: Annotated[str | None, Option(help="Try this text before every utterance, too.")] = None,
    texts: Annotated[
        list[str] | None, Option(help="NAME=FILE: transcripts made elsewhere, in the table too; any number of times.")
    ] = None,
    floor: Annotated[
        Path | None, Option(help="A second person's transcript of the utterances or some of them: what can be reached.")
    ] = None,
    price_per_hour: Annotated[float | None, Option(min=0, help="Of this machine, in your currency.")] = None,
    worth: Annotated[float, Option(min=0, help="Points of WER below which a gain is not worth a tuning.")] = 2.0,
    engine: Engine = None,
    quantize: Quantize = None,
) -> None:
    """Should I tune at all? Untuned models and settings by error rate and price, and what tuning would have to beat."""
    from parlure.console import Console
    from parlure.scoring.baseline import PAGE, markdown
    from parlure.scoring.skills.baseline import baseline as run_baseline

    with Console().bar("decoding") as bar:
        table = run_baseline(
            corpus, names_of(models), out, split=split, also=names_of(also), prompt=prompt, texts=texts or (),
            floor=floor, price_per_hour=price_per_hour, worth=worth, engine=engine, quantize=quantize, progress=bar,
        )  # fmt: skip
    give(markdown(table))
    for warning in table["warnings"]:
        say(f"note: {warning}")
    say(table["answer"]["sentence"])
    say(f"page: {out / PAGE}")


@app.command()
def curve(
    recipe: Annotated[Path, Argument(help="Recipe (TOML).")],
    out: Annotated[Path, Option(help="Folder to make: the curve, and a run for each share.")],
    shares: Annotated[str, Option(help="Of the hours of training data, each within the next.")] = "0.25,0.5,1",
    split: Annotated[str, Option(help="Which split to decode.")] = "test",
    set_: Annotated[list[str] | None, Option("--set", help="section.field=value, any number of times.")] = None,
) -> None:
    """Do I have enough recordings? WER by hours of training data, and what twice as many might bring."""
    from parlure.console import Console
    from parlure.recipe import load_recipe

    try:
        wanted = [float(share) for share in shares.split(",")]
    except ValueError as error:
        raise ParlureError(f"--shares {shares} are not numbers", "--shares 0.25,0.5,1") from error
    settings, console = load_recipe(recipe, set_ or []), Console()
    from parlure.scoring.skills.curve import PAGE, markdown, train_shares
    from parlure.scoring.skills.curve import curve as run_curve

    with console.training() as on_event:
        train_shares(settings, out, shares=wanted, on_event=on_event)
    with console.bar("decoding") as bar:  # nothing is left to train
        table = run_curve(settings, out, shares=wanted, split=split, progress=bar)
    give(markdown(table))
    for warning in table["warnings"]:
        say(f"note: {warning}")
    say(table["sentence"])
    say(f"page: {out / PAGE}")
