"""A corpus and an expression → the corpus of the utterances for which it holds."""

from __future__ import annotations

from pathlib import Path

from parlure.corpus.editing.edited import Edit, EditSummary, check_new_folder, left_out, write_edit
from parlure.corpus.editing.expression import parse_expression
from parlure.corpus.manifest import Corpus


def filter_corpus(folder: str | Path, out: str | Path, *, keep: str) -> EditSummary:
    """Keep what an expression holds for; of the rest ``rejected.jsonl`` says which of its conditions did not.

    Args:
        folder: the corpus.
        out: the new one.
        keep: see :mod:`parlure.corpus.editing.expression`.

    Raises:
        ParlureError: a bad expression, folder or corpus, or nothing is left.
    """
    folder, out = Path(folder), Path(out)
    expression = parse_expression(keep)
    check_new_folder(out, [folder])
    corpus = Corpus.load(folder)
    expression.check_tags(corpus.utterances)
    kept, others = [], []
    for position, utterance in enumerate(corpus.utterances):
        part = expression.failing(utterance)
        if part is None:
            kept.append(utterance)
        else:
            others.append(left_out(corpus, position, "filtered", part.sentence(utterance)))
    return write_edit(Edit("filter", {"keep": expression.text}, [corpus], kept, others), out)
