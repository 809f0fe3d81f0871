"""Commands that decode a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.cli.arguments import DECODABLE_HELP, BeamSize, Engine, Guard, LoopGuard, Quantize, Short
from parlure.ending import GateFailedError, say


@app.command()
def evaluate(
    corpus: Annotated[Path, Argument(help="Corpus folder.")],
    model: Annotated[str, Option(help=f"The tuned model: {DECODABLE_HELP}.")],
    out: Annotated[Path, Option(help="Report folder to make.")],
    against: Annotated[
        str | None, Option(help="The base model, decoded in exactly the same way; base: what the run was tuned from.")
    ] = None,
    guard: Guard = None,
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
    prompted: Annotated[
        bool,
        Option("--prompted", help="Tell the models of the terms too, as transcribe --terms does."),
    ] = False,
    condition: Annotated[
        str | None, Option(help='Send the split through a telephone channel, such as gsm or "g711 > loss(0.05)".')
    ] = None,
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
            terms=terms, prompted=prompted, condition=condition, engine=engine, quantize=quantize, beam_size=beam_size,
            loop_guard=loop_guard, progress=bar,
        )  # fmt: skip
    from parlure.scoring.evidence.table import skill_lines
    from parlure.scoring.gates import failures
    from parlure.scoring.page.verdict import advice, verdict_sentence
    from parlure.transcribing.pace import pace_lines

    for line in [*pace_lines(report), *skill_lines(report)]:
        say(line)
    headline, sentence, _ = verdict_sentence(report)
    say(f"{headline}: {sentence}")
    if told := advice(report):
        say(told)
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
def robustness(
    corpus: Annotated[Path, Argument(help="Corpus folder.")],
    model: Annotated[str, Option(help=f"The tuned model: {DECODABLE_HELP}.")],
    out: Annotated[Path, Option(help="Folder of the table to make.")],
    against: Annotated[
        str | None, Option(help="The base model, decoded in exactly the same way; base: what the run was tuned from.")
    ] = None,
    conditions: Annotated[
        str | None,
        Option(help='Separated by commas, such as "gsm,amr(4.75),g711 > loss(0.05)"; the usual ones when not given.'),
    ] = None,
    split: Annotated[str, Option(help="Which split to decode.")] = "test",
    seed: Annotated[int, Option(help="Of lost packets, noise and all else that is drawn.")] = 0,
    engine: Engine = None,
    quantize: Quantize = None,
    beam_size: BeamSize = 1,
    loop_guard: LoopGuard = False,
) -> None:
    """Decode a split through telephone channels → table: condition by WER, with intervals."""
    from parlure.console import Console
    from parlure.scoring.robustness import markdown
    from parlure.scoring.skills.robustness import robustness as run_robustness
    from parlure.speech.channel.expression import split_list
    from parlure.transcribing.pace import pace_lines

    chosen = None if conditions is None else split_list(conditions)
    with Console().bar("decoding") as bar:
        table = run_robustness(
            corpus, model, out, against=against, conditions=chosen, split=split, seed=seed, engine=engine,
            quantize=quantize, beam_size=beam_size, loop_guard=loop_guard, progress=bar,
        )  # fmt: skip
    for line in [*pace_lines(table), *(f"note: {warning}" for warning in table["warnings"])]:
        say(line)
    give(markdown(table))
    say(f"table: {out / 'robustness.md'}")
