"""Guard corpora: how they are named, and what is refused."""

from dataclasses import replace

import pytest

from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.scoring.skills.guard import load_guards


def test_a_guard_has_its_folders_name_or_yours(corpus_folder, corpus):
    found = load_guards([str(corpus_folder), f"general={corpus_folder}"], "test")
    assert list(found) == ["corpus", "general"]
    assert found["general"] == corpus.select("test")


def test_only_what_is_to_be_transcribed(corpus, monkeypatch):
    one, two = corpus.select("test")[:2]
    mixed = replace(corpus, utterances=(one, replace(two, task="translate")))
    monkeypatch.setattr(Corpus, "load", lambda folder: mixed)
    assert load_guards(["x"], "test") == {"x": (one,)}


@pytest.mark.parametrize(
    ("guards", "message", "hint"),
    [
        (["a b=x"], "the guard corpus a b=x has the name 'a b', which is not one word",
         "give it one of letters, digits, - and _: --guard general=FOLDER"),
        (["=x"], "the guard corpus =x has the name '', which is not one word", "give it one of letters, digits"),
        (["x", "here/x"], "two guard corpora are called x", "name them: --guard general=FOLDER"),
        (["nothing=x"], "the guard corpus x has nothing to transcribe in its dev split",
         "prepare it for testing alone: --ratios 0,0,1"),
    ],
)  # fmt: skip
def test_what_is_refused(corpus, monkeypatch, guards, message, hint):
    monkeypatch.setattr(Corpus, "load", lambda folder: replace(corpus, utterances=corpus.select("test")))
    with pytest.raises(ParlureError) as caught:
        load_guards(guards, "dev" if "nothing" in guards[0] else "test")
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)
