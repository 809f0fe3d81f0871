"""The command line: one short function per command; parse, call the library, print.

stdout is data, stderr is talk; how a command ends is in ``ending``. Everything heavy is imported inside the
functions, so that ``--help`` answers at once.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from parlure.arguments import DECODABLE_HELP, MODEL_HELP, BeamSize, Engine, LoopGuard, Quantize, Short, ratios_of
from parlure.ending import GateFailedError, StoppedError, exit_code, is_first, say
from parlure.errors import ParlureError

app = typer.Typer(
    help="Fine-tune OpenAI's Whisper on your own recordings, and prove what changed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def give(data: str) -> None:
    """Data, on stdout."""
    sys.stdout.write(data)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        from importlib.metadata import version as version_of

        give(f"parlure {version_of('parlure')}\n")
        raise typer.Exit


@app.command()
def demo(
    out: Annotated[Path, Option(help="Folder to make: corpus, run and report.")] = Path("demo"),
    seed: Annotated[int, Option(help="Another seed, another corpus and another run.")] = 1,
) -> None:
    """The whole road offline in minutes, on synthetic Québec French telephone speech and the built-in nano."""
    from parlure.console import Console
    from parlure.demo import demo as run_demo

    summary = run_demo(out, seed=seed, console=Console())
    give(summary.text + "\n")


@app.command()
def prepare(
    source: Annotated[
        list[str],
        Argument(
            help="CSV, TSV or JSONL manifests, folders of audio with .txt beside it, folders of parquet, "
            "hf://owner/name?config=fr&split=segment."
        ),
    ],
    out: Annotated[Path, Option(help="Corpus folder to make.")],
    reader: Annotated[str | None, Option(help="How to read the sources; guessed when not given.")] = None,
    text: Annotated[str | None, Option(help="Column of the transcript.")] = None,
    speaker: Annotated[str | None, Option(help="Column of the speaker.")] = None,
    session: Annotated[str | None, Option(help="Column of the call or session.")] = None,
    language: Annotated[str | None, Option(help="Language of rows that name none, such as fr.")] = None,
    channels: Annotated[
        Literal["first", "split", "mix"] | None, Option(help="For recordings of two different channels.")
    ] = None,
    empty_text: Annotated[
        Literal["reject", "no-speech"], Option(help="An empty transcript is an error, or means no speech.")
    ] = "reject",
    strict: Annotated[bool, Option("--strict", help="Exit with 3 if any row is rejected.")] = False,
    ratios: Annotated[
        str | None,
        Option(help="Shares of train, dev and test by hours: 0.8,0.1,0.1 when not given, or the sources' own split."),
    ] = None,
    group_by: Annotated[
        str, Option(help="What no two splits may share; none divides utterance by utterance.")
    ] = "speaker,session",
    seed: Annotated[int, Option(help="Decides the split.")] = 1,
    local_speakers: Annotated[
        bool | None,
        Option(
            "--local-speakers/--global-speakers",
            help="Speaker names hold within a session only (A, B), or everywhere; guessed when not given.",
        ),
    ] = None,
    copy_audio: Annotated[bool, Option("--copy-audio", help="Copy the spans into the corpus as 16 kHz FLAC.")] = False,
) -> None:
    """Recordings and transcripts → a corpus whose splits share no speaker and no call."""
    from parlure.console import Console
    from parlure.corpus.prepare import prepare as run_prepare

    with Console().bar("reading") as bar:
        summary = run_prepare(
            source, out, reader=reader, text=text, speaker=speaker, session=session, language=language,
            channels=channels, empty_text=empty_text, strict=strict,
            ratios=ratios_of(ratios), group_by=tuple(name.strip() for name in group_by.split(",")), seed=seed,
            local_speakers=local_speakers, copy_audio=copy_audio, progress=bar,
        )  # fmt: skip
    for line in summary.lines():
        say(line)
    if strict and summary.n_rejected:
        raise GateFailedError(
            f"{summary.n_rejected} rows were rejected",
            f"{out / 'rejected.jsonl'} says why; without --strict the others are taken",
        )


@app.command()
def init(
    corpus: Annotated[Path, Argument(help="Corpus folder.")],
    out: Annotated[Path, Option(help="Recipe to write.")] = Path("recipe.toml"),
    model: Annotated[str | None, Option(help=f"What to start from: {MODEL_HELP}; chosen when not given.")] = None,
) -> None:
    """A commented recipe fitted to a corpus and this machine."""
    from parlure.starter import init as run_init

    recipe = run_init(corpus, out, model=model)
    say(f"{out}: {recipe.model.base}, {recipe.training.epochs:g} epochs, every field explained")
    say(f"next: parlure train {out} --dry-run")


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
    say(f"next: parlure evaluate {settings.data.corpus} --model {out} --against {settings.model.base} --out report")


@app.command()
def transcribe(
    audio: Annotated[list[Path], Argument(help="Audio files of any length.")],
    model: Annotated[str, Option(help=f"{DECODABLE_HELP}.")],
    language: Annotated[str | None, Option(help="Language spoken, such as fr; identified when not given.")] = None,
    task: Annotated[Literal["transcribe", "translate"], Option(help="translate gives English.")] = "transcribe",
    timestamps: Annotated[Literal["none", "segment"], Option(help="Times per phrase, or none.")] = "none",
    format_: Annotated[
        Literal["text", "jsonl", "srt", "vtt"], Option("--format", help="srt and vtt imply times.")
    ] = "text",
    out: Annotated[Path | None, Option(help="Folder for one file per recording; stdout when not given.")] = None,
    engine: Engine = None,
    quantize: Quantize = None,
    beam_size: BeamSize = 1,
    loop_guard: LoopGuard = False,
) -> None:
    """Audio → text, JSON lines, SubRip or WebVTT."""
    from parlure.transcribing.pace import Pace
    from parlure.transcribing.transcribe import transcribe as run_transcribe
    from parlure.transcribing.writers import NEED_TIMES, WRITERS, targets

    if timestamps == "none" and format_ in NEED_TIMES:
        timestamps = "segment"
    files = {} if out is None else targets(audio, out, format_)
    broken: list[Path] = []
    pace = Pace()

    def leave_out(path: Path, error: ParlureError) -> None:
        broken.append(path)
        say(f"{path} is left out: {error.message}")

    for path, hypothesis in run_transcribe(
        audio, model=model, language=language, task=task, timestamps=timestamps, engine=engine, quantize=quantize,
        beam_size=beam_size, loop_guard=loop_guard, pace=pace, on_broken=leave_out,
    ):  # fmt: skip
        written = WRITERS[format_](hypothesis)
        if out is None:
            give(written)
        else:
            files[path].parent.mkdir(parents=True, exist_ok=True)
            files[path].write_text(written, encoding="utf-8")
            say(f"{path} → {files[path]}")
    say(pace.line())
    if broken:
        raise ParlureError(
            f"{len(broken)} of {len(audio)} recordings are broken: {', '.join(map(str, broken))}",
            "the others are done; copy these again and transcribe them alone",
        )


@app.command()
def evaluate(
    corpus: Annotated[Path, Argument(help="Corpus folder.")],
    model: Annotated[str, Option(help=f"The tuned model: {DECODABLE_HELP}.")],
    out: Annotated[Path, Option(help="Report folder to make.")],
    against: Annotated[
        str | None, Option(help="The base model, decoded in exactly the same way; base: what the run was tuned from.")
    ] = None,
    guard: Annotated[
        list[str] | None, Option(help="Corpus of another domain, CORPUS or NAME=CORPUS, any number of times.")
    ] = None,
    split: Annotated[str, Option(help="Which split to decode.")] = "test",
    short: Short = None,
    sanity: Annotated[
        bool, Option("--sanity", help="Then make the controls that a report must pass; exit with 3 if one fails.")
    ] = False,
    fail_if: Annotated[
        list[str] | None,
        Option(help='Exit with 3 if it holds, such as "transcription.fr>40"; any number of times.'),
    ] = None,
    terms: Annotated[Path | None, Option(help="Terms to look for, one a line: their recall and precision.")] = None,
    engine: Engine = None,
    quantize: Quantize = None,
    beam_size: BeamSize = 1,
    loop_guard: LoopGuard = False,
) -> None:
    """Decode a split with one model or two → report: every skill before and after, intervals, verdicts."""
    from parlure.console import Console
    from parlure.scoring.skills import evaluate as run_evaluate

    with Console().bar("decoding") as bar:
        report = run_evaluate(
            corpus, model, out, against=against, guards=guard or (), split=split, short=short, fail_if=fail_if or (),
            terms=terms, engine=engine, quantize=quantize, beam_size=beam_size, loop_guard=loop_guard, progress=bar,
        )  # fmt: skip
    from parlure.scoring.evidence.table import skill_lines
    from parlure.scoring.gates import failures
    from parlure.scoring.page.verdict import verdict_sentence
    from parlure.transcribing.pace import pace_lines

    for line in [*pace_lines(report), *skill_lines(report)]:
        say(line)
    if report["broken"]:
        say(f"tuning made worse: {', '.join(report['broken'])}")
    headline, sentence, _ = verdict_sentence(report)
    say(f"{headline}: {sentence}")
    say(f"report: {out / 'report.html'}")
    failed = failures(report, fail_if or ())
    if sanity:
        from parlure.scoring.skills.sanity import check_sanity

        controls = check_sanity(out, corpus, model, split=split)
        give("".join(control.line() + "\n" for control in controls))
        failed += [f"sanity: {control.name}" for control in controls if control.passed is False]
    if failed:
        raise GateFailedError("; ".join(failed), f"the report is in {out}")


@app.command()
def score(
    ref: Annotated[Path, Argument(help="References: a file of --format, a corpus folder; a manifest of both sides.")],
    hyp: Annotated[
        Path | None, Argument(help="Hypotheses: a file of --format, a folder; not needed where REF holds both sides.")
    ] = None,
    against: Annotated[Path | None, Option(help="Hypotheses to compare with.")] = None,
    profile: Annotated[
        list[str] | None, Option(help="Normaliser, any number of times: raw, basic, plain, en, fr, fr-qc.")
    ] = None,
    split: Annotated[str | None, Option(help="Of a corpus as reference: only this split.")] = None,
    language: Annotated[str | None, Option(help="Language of utterances that name none, such as fr.")] = None,
    format_: Annotated[
        str | None,
        Option(
            "--format",
            help="What the files are: text, jsonl, trn, stm (hypotheses: stm or ctm), nemo, leaderboard; "
            "guessed when not given.",
        ),
    ] = None,
    group_by: Annotated[
        str | None, Option(help="Rates of each speaker, or of another slice of the report, after the others.")
    ] = None,
    meeting: Annotated[
        bool, Option("--meeting", help="cpWER: the speakers of both sides are matched; needs parlure[meeting].")
    ] = False,
    terms: Annotated[Path | None, Option(help="Terms to look for, one a line: their recall and precision.")] = None,
    as_json: Annotated[bool, Option("--json", help="Print the report's profiles as JSON.")] = False,
) -> None:
    """References and hypotheses → WER, without a model."""
    from parlure.scoring.printed import meeting_lines, report_lines

    chosen = profile or ()
    if meeting:
        from parlure.scoring.meeting import score_meeting

        found = score_meeting(ref, hyp, against=against, profiles=chosen, language=language, format_name=format_)
        give(json.dumps(found, indent=2, ensure_ascii=False) + "\n" if as_json else meeting_lines(found))
        return
    from parlure.scoring.score import score_report

    _, report = score_report(
        ref, hyp, against=against, profiles=chosen, split=split, language=language, format_name=format_, terms=terms
    )
    lines = report_lines(report, group_by)
    for warning in report["warnings"]:
        say(f"note: {warning}")
    found = report["profiles"] if terms is None else {name: report[name] for name in ("profiles", "terms")}
    give(json.dumps(found, indent=2, ensure_ascii=False) + "\n" if as_json else lines)


@app.command()
def compare(
    reports: Annotated[list[Path], Argument(help="Report folders, of the same utterances.", show_default=False)],
    out: Annotated[Path, Option(help="Folder of the comparison.", show_default=False)],
    against: Annotated[str | None, Option(help="Compare with this one: base, or a folder's name.")] = None,
) -> None:
    """Compare any number of runs by their reports."""
    from parlure.scoring.comparing import write_comparison
    from parlure.scoring.page.marks import percent

    comparison = write_comparison(out, reports, against)
    for name, row in comparison["systems"].items():
        told = f", against {comparison['against']}: {row['comparison']['verdict']}" if "comparison" in row else ""
        say(f"{name}: WER {percent(row['wer']['rate'])}{told}")
    say(f"comparison: {out / 'comparison.html'}")


@app.command()
def publish(
    run: Annotated[Path, Argument(help="Run folder.")],
    repo: Annotated[str, Option(help="Repository on the Hugging Face Hub, owner/name.")],
    report: Annotated[Path | None, Option(help="Report folder, whose scores go on the card.")] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Show the card and the files; send nothing.")] = False,
    out: Annotated[Path | None, Option(help="Folder to make for hf upload: exactly what would be sent.")] = None,
) -> None:
    """A run as it would lie on the Hugging Face Hub: card and files."""
    from parlure.shipping.publish import plan, stage

    publication = plan(run, repo, report)
    if out is not None:
        stage(publication, out)
    elif not dry_run:
        raise ParlureError(
            "this version does not push to the Hub",
            "look with --dry-run; --out FOLDER makes a folder and says the command that uploads it",
        )
    give(publication.card)
    for line in publication.lines():
        say(line)
    if out is not None:
        say(f"next: hf upload {repo} {shlex.quote(str(out))} .")


@app.command()
def doctor() -> None:
    """What this machine can do, and what is missing, with the command that mends it."""
    from parlure.doctor import examine

    for finding in examine():
        give(finding.line() + "\n")


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns the exit code."""
    command = arguments[0] if arguments else ""
    return exit_code(command, lambda: app(arguments, prog_name="parlure", standalone_mode=False))


if __name__ == "__main__":
    main()
