"""Commands that tune a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.cli.arguments import MODEL_HELP, Guard
from parlure.ending import StoppedError, is_first, say
from parlure.errors import ParlureError


@app.command()
def init(
    corpus: Annotated[Path, Argument(help="Corpus folder.")],
    out: Annotated[Path, Option(help="Recipe to write.")] = Path("recipe.toml"),
    model: Annotated[str | None, Option(help=f"What to start from: {MODEL_HELP}; chosen when not given.")] = None,
    method: Annotated[str | None, Option(help="adapter.method, such as dora or full; lora when not given.")] = None,
) -> None:
    """A commented recipe fitted to a corpus and this machine."""
    from parlure.starter import init as run_init

    recipe = run_init(corpus, out, model=model, method=method)
    say(f"{out}: {recipe.model.base}, {recipe.training.epochs:g} epochs, every field explained")
    say(f"next: parlure train {out} --dry-run")


@app.command()
def sweep(
    run: Annotated[str, Argument(help="Run folder.")],
    corpus: Annotated[Path, Argument(help="Its corpus folder.")],
    out: Annotated[Path, Option(help="Run folder to make, of the model at the chosen scale.")],
    guard: Guard = None,
    scales: Annotated[str, Option(help="Points between base (0) and tuned (1).")] = "0,0.25,0.5,0.75,1",
    split: Annotated[str, Option(help="On which it is chosen.")] = "dev",
    max_loss: Annotated[float, Option(help="Points of WER that a guard may lose.")] = 1.0,
) -> None:
    """How much of what was learnt to keep: models between base and tuned, on the corpus and its guards."""
    from parlure.console import Console
    from parlure.scoring.skills.sweep import sweep as run_sweep
    from parlure.scoring.skills.sweep import table_lines
    from parlure.shipping.card import write_card

    try:
        points = [float(point) for point in scales.split(",")]
    except ValueError as error:
        raise ParlureError(f"--scales {scales} are not numbers", "--scales 0,0.25,0.5,0.75,1") from error
    with Console().bar("decoding") as bar:
        table = run_sweep(
            run, corpus, out, guards=guard or (), scales=points, split=split, max_loss=max_loss, progress=bar
        )
    give("".join(f"{line}\n" for line in table_lines(table)))
    say(table["why"])
    if table["chosen"]:
        write_card(out)
        say(f"next: parlure evaluate {corpus} --model {out} --against base --out report")


@app.command()
def merge(
    runs: Annotated[list[str], Argument(help="Run folders that were tuned from one base.")],
    out: Annotated[Path, Option(help="Run folder to make.")],
    weights: Annotated[str | None, Option(help="Of each run, such as 0.7,0.3; their mean when not given.")] = None,
    how: Annotated[
        str, Option(help="linear: the weighted sum; ties: of changes that agree; dare: of some, by chance.")
    ] = "linear",
    density: Annotated[
        float | None, Option(help="Share of changes that ties and dare keep; 0.5 when not given.")
    ] = None,
) -> None:
    """Several runs of one base → one run."""
    from parlure.console import Console
    from parlure.shipping.card import write_card
    from parlure.training.merging import merge as run_merge

    try:
        shares = None if weights is None else [float(weight) for weight in weights.split(",")]
    except ValueError as error:
        raise ParlureError(f"--weights {weights} are not numbers", "such as --weights 0.7,0.3") from error
    with Console().bar("merging") as bar:
        table = run_merge(runs, out, weights=shares, how=how, density=density, progress=bar)
    write_card(out)
    say(f"{out}: {len(runs)} runs merged into one {'adapter' if table['kept_as'] == 'adapter' else 'whole model'}")
    say(f"next: parlure evaluate CORPUS --model {out} --against {table['base']} --out report, for each run's corpus")


@app.command()
def train(
    recipe: Annotated[Path, Argument(help="Recipe (TOML).")],
    corpus: Annotated[str | None, Option(help="Corpus folder, in place of the recipe's.")] = None,
    model: Annotated[str | None, Option(help=f"What to start from: {MODEL_HELP}.")] = None,
    out: Annotated[Path, Option(help="Run folder to make.")] = Path("run"),
    set_: Annotated[list[str] | None, Option("--set", help="section.field=value, any number of times.")] = None,
    resume: Annotated[bool, Option("--resume", help="Go on from the last checkpoint in --out.")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Check corpus, labels and model, then stop.")] = False,
) -> None:
    """Corpus + recipe → run: the adapter or model with the best dev WER."""
    from parlure.console import Console
    from parlure.exclusive import is_empty
    from parlure.recipe import load_recipe

    settings = load_recipe(recipe, set_ or [], corpus, model)
    console = Console(silent=not is_first())
    try:
        from parlure.training.loop import train as run_train

        with console.training() as on_event:
            summary = run_train(settings, out, resume=resume, dry_run=dry_run, on_event=on_event)
    except KeyboardInterrupt as error:
        if any(out.glob("checkpoints/step-*/progress.json")):
            raise StoppedError(f"{out} holds a checkpoint: go on with the same command and --resume") from error
        raise StoppedError("there is no checkpoint yet: begin with the same command and --resume") from error
    if not is_first():
        return
    if summary.was_finished:
        say(f"{out} is finished: nothing is left to do")
    if dry_run:
        begun = f"{summary.n_done} of {summary.n_steps} steps are done in {out}: go on with --resume"
        if not summary.was_finished:
            say(f"all is in order: {f'{summary.n_steps} steps to do' if is_empty(out) else begun}")
        return
    from parlure.shipping.card import write_card

    write_card(out)
    say(
        f"dev WER {summary.base_wer:.1f} % → {summary.best_wer:.1f} % at step {summary.best_step} of {summary.n_steps}"
        + (", stopped early" if summary.stopped_early else "")
    )
    if summary.harmed:
        say("a guard corpus had lost too much at the last evaluation: what is kept is from before")
    if summary.best_step == 0:
        say("do not deploy: no checkpoint was better than the base, which is what is kept")
        return
    say(f"next: parlure evaluate {settings.data.corpus} --model {out} --against {settings.model.base} --out report")


@app.command()
def tune(
    recipe: Annotated[Path, Argument(help="Recipe (TOML) that every trial starts from.")],
    trials: Annotated[int, Option(min=1, help="How many there shall be, with those that are there.")] = 20,
    out: Annotated[Path, Option(help="Folder of the search.")] = Path("tuning"),
    space: Annotated[Path | None, Option(help="TOML file of what is searched.")] = None,
    search: Annotated[
        list[str] | None, Option(help="section.field=LOW..HIGH, =LOW..HIGH,log or =A|B|C, any number of times.")
    ] = None,
    corpus: Annotated[str | None, Option(help="Corpus folder, in place of the recipe's.")] = None,
    model: Annotated[str | None, Option(help=f"What to start from: {MODEL_HELP}.")] = None,
    set_: Annotated[list[str] | None, Option("--set", help="section.field=value, any number of times.")] = None,
) -> None:
    """Recipe → many runs: learning rate, rank and others with the best dev WER that harms no guard."""
    from parlure.console import Console
    from parlure.recipe import load_recipe

    settings = load_recipe(recipe, set_ or [], corpus, model)
    console = Console()
    from parlure.search.found import table_lines
    from parlure.search.tune import tune as run_tune

    with console.training() as on_event:
        found = run_tune(
            settings,
            out,
            n_trials=trials,
            space=space,
            search=search or (),
            on_event=_trial_lines(console.say, on_event),
        )
    give("".join(f"{line}\n" for line in table_lines(found)))
    for sentence in found.sentences():
        say(sentence)
    say(f"{out / 'tune.html'} shows the trials")
    if found.best is not None:
        from parlure.shipping.card import write_card

        run = out / f"trial-{found.best.number:03d}"
        write_card(run)
        say(f"next: parlure evaluate {settings.data.corpus} --model {run} --against {settings.model.base} --out report")


def _trial_lines(
    say_line: Callable[[str], None], on_event: Callable[[Mapping[str, Any]], None]
) -> Callable[[Mapping[str, Any]], None]:
    """A line when a trial begins and ends; between them, what is said of a run."""
    from parlure.search.found import shown

    def show(row: Mapping[str, Any]) -> None:
        if row["kind"] != "trial":
            on_event(row)
        elif row["state"] == "running":
            draw = ", ".join(f"{key.partition('.')[2]} {shown(value)}" for key, value in row["draw"].items())
            say_line(f"trial {row['trial']} ({row['trial'] + 1} of {row['n_trials']}): {draw}")
        else:
            wer = f"dev WER {row['wer']:.1f} %" if row["wer"] is not None else row["why"]
            best = f" (best {row['best_wer']:.1f} %)" if row["best_wer"] is not None else ""
            say_line(f"trial {row['trial']} {row['state']}: {wer}{best}, {row['work_s'] / 60:.1f} min")

    return show
