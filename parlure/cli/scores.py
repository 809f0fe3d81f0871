"""Commands that compare texts, and reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.ending import say


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
