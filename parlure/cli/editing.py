"""``parlure corpus …``: commands that make a corpus of others, and tell what is in one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.cli.arguments import ratios_of
from parlure.ending import say

corpus_app = typer.Typer(
    help="Filter, merge, sample, count, export and pseudonymise corpora, and forget a person; never in place.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(corpus_app, name="corpus")

Folder = Annotated[Path, Argument(metavar="CORPUS", help="Corpus folder; it is not changed.")]
Out = Annotated[Path, Option(help="Corpus folder to make.")]


@corpus_app.command("filter")
def filter_(
    corpus: Folder,
    keep: Annotated[
        str, Option(help="""Such as 'duration_s > 1 and tag.age == "twenties" and not text matches "xxx"'.""")
    ],
    out: Out,
) -> None:
    """Keep the utterances for which an expression holds."""
    from parlure.corpus.editing.filtering import filter_corpus

    _say_all(filter_corpus(corpus, out, keep=keep).lines())


@corpus_app.command()
def merge(
    corpora: Annotated[list[Path], Argument(metavar="CORPUS CORPUS…", help="Two corpora or more.")],
    out: Out,
    same_names: Annotated[
        bool, Option("--same-names", help="A speaker or session that two corpora name is the same one.")
    ] = False,
    group_by: Annotated[
        str | None, Option(help="What no two splits may share; what all corpora were divided by when not given.")
    ] = None,
    ratios: Annotated[
        str | None, Option(help="Divide the whole anew: shares of train, dev and test, such as 0.8,0.1,0.1.")
    ] = None,
    seed: Annotated[int, Option(help="Of the new division.")] = 1,
) -> None:
    """Put corpora together, names kept apart and no speaker or call on two sides."""
    from parlure.corpus.editing.merging import merge_corpora

    keys = None if group_by is None else tuple(name.strip() for name in group_by.split(","))
    shares = ratios_of(ratios)
    _say_all(merge_corpora(corpora, out, same_names=same_names, group_by=keys, ratios=shares, seed=seed).lines())


@corpus_app.command()
def sample(
    corpus: Folder,
    out: Out,
    hours: Annotated[float | None, Option(help="How many hours to draw.")] = None,
    count: Annotated[int | None, Option(help="How many utterances to draw.")] = None,
    by: Annotated[Literal["utterance", "session", "speaker"], Option(help="What is taken whole.")] = "utterance",
    split: Annotated[
        str | None,
        Option(help="Draw from this split and keep the others whole; from all, in proportion, when not given."),
    ] = None,
    seed: Annotated[int, Option(help="Another seed draws others.")] = 1,
) -> None:
    """Draw a part; a larger one with the same seed holds a smaller one."""
    from parlure.corpus.editing.sampling import sample_corpus

    _say_all(sample_corpus(corpus, out, hours=hours, count=count, by=by, split=split, seed=seed).lines())


@corpus_app.command()
def stats(corpus: Folder, as_json: Annotated[bool, Option("--json", help="Everything, as JSON.")] = False) -> None:
    """Hours, counts, words and durations, by split, language, speaker, session and tag."""
    from parlure.corpus.editing.stats import corpus_stats, stats_table

    found = corpus_stats(corpus)
    give(json.dumps(found, ensure_ascii=False, indent=2) + "\n" if as_json else stats_table(found))


@corpus_app.command()
def export(
    corpus: Folder,
    to: Annotated[str, Option(help="The format; an unknown one lists them.")],
    out: Annotated[Path, Option(help="Folder to make.")],
) -> None:
    """A corpus in another tool's format."""
    from parlure.corpus.editing.exporting import export_corpus

    say(f"{export_corpus(corpus, out, to=to)} utterances → {out}")


@corpus_app.command()
def pseudonymise(
    corpus: Folder,
    out: Out,
    key: Annotated[
        Path | None, Option(help="File of the key, made if it is not there; without one nobody can undo it.")
    ] = None,
) -> None:
    """Replace the names of speakers and sessions."""
    from parlure.corpus.editing.pseudonyms import pseudonymise_corpus

    _say_all(pseudonymise_corpus(corpus, out, key=key).lines())


@corpus_app.command()
def forget(
    corpus: Folder,
    speaker: Annotated[list[str], Option(help="The person's name in the corpus; any number of times.")],
    out: Out,
    key: Annotated[
        Path | None, Option(help="Key of a pseudonymised corpus, to find the name by its pseudonym.")
    ] = None,
) -> None:
    """Leave a person out; stdout lists the recordings that still hold the voice."""
    from parlure.corpus.editing.forgetting import forget_speaker

    summary = forget_speaker(corpus, out, speakers=speaker, key=key)
    _say_all(summary.lines())
    give("".join(f"{recording}\n" for recording in summary.recordings))


def _say_all(lines: list[str]) -> None:
    for line in lines:
        say(line)
