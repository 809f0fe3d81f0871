"""``parlure label``: what a model is sure of, kept apart from what people have said."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from made_corpora import make_corpus, said
from spoken import spoken

from parlure import cli
from parlure.corpus.correcting.desk import corrected
from parlure.corpus.editing.filtering import filter_corpus
from parlure.corpus.editing.merging import merge_corpora
from parlure.corpus.manifest import Corpus
from parlure.corpus.pseudo import Bounds, Heard, fault
from parlure.errors import ParlureError
from parlure.recipe import parse_recipe
from parlure.scoring.skills.exam import decodable
from parlure.speech.audio import write_audio
from parlure.speech.voice import SpanPolicy
from parlure.training.development import Development
from parlure.training.guards import load_guards
from parlure.transcribing.label import label

CLEAR = ("Demain matin, un miroir est fragile.", "Nous arrivons demain matin.", "Merci beaucoup, bonne soirée.")
UNCLEAR = ("Elle boit un verre de lait.",)  # to nano


def heard(text: str = "le chat dort bien", again: str | None = None, **other) -> Heard:
    values = {"duration_s": 4.0, "language": "fr", "identified": "fr", "avg_logprob": -0.1, "broken_off": False}
    return Heard(text=text, again=text if again is None else again, **(values | other))


@pytest.mark.parametrize(
    ("one", "reason", "sentence"),
    [
        (heard(" "), "no_text", "the model hears nobody"),
        (heard(broken_off=True), "broken_off", "the text goes round in circles, or does not end"),
        (heard("oui " * 60), "repetitive", "the text repeats itself: zlib makes it 16.0 times smaller"),
        (heard(identified="en"), "other_language", "the model takes it for en, it was decoded as fr"),
        (heard(avg_logprob=-1.0), "unsure", "mean probability of a token 0.37, below 0.6"),
        (heard(again="le chat mord bien"), "disagreement",
         "heard otherwise the second time: 25%, more than 10% of the words"),
        (heard(again=""), "disagreement", "heard otherwise the second time: 100%, more than 10% of the words"),
    ],
)  # fmt: skip
def test_each_bound_has_its_reason(one, reason, sentence):
    assert fault(one, Bounds()) == (reason, sentence)


def test_what_keeps_to_the_bounds_is_kept():
    assert fault(heard(again="Le chat dort bien !"), Bounds()) is None  # compared as it is scored
    assert fault(heard(identified="en", duration_s=2.9), Bounds()) is None  # too short to tell a language
    assert fault(heard(avg_logprob=-1.0), Bounds(min_confidence=0.3)) is None
    assert fault(heard(again="le chat mord bien"), Bounds(max_disagreement=0.25)) is None
    assert heard(avg_logprob=None).confidence == 0 and heard().confidence == pytest.approx(math.exp(-0.1))


def test_a_bound_is_a_share():
    for bounds, message, hint in (
        ({"min_confidence": 1.5}, "--min-confidence 1.5 is not between 0 and 1", "for example --min-confidence 0.5"),
        (
            {"max_disagreement": -1},
            "--max-disagreement -1 is not between 0 and 1",
            "for example --max-disagreement 0.5",
        ),
    ):
        with pytest.raises(ParlureError) as caught:
            Bounds(**bounds)
        assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.fixture(scope="module")
def interview(tmp_path_factory) -> Path:
    """Four sentences with pauses of 0.8 s, three of which nano hears well."""
    pause = np.zeros(12_800, np.float32)
    parts = [part for sound in spoken(CLEAR + UNCLEAR) for part in (pause, 0.5 * sound)]
    path = tmp_path_factory.mktemp("label") / "interview.wav"
    write_audio(path, np.concatenate([*parts, pause]))
    return path


def options(out: Path, interview: Path, *more: str) -> list[str]:
    return ["label", str(interview), "--model", "nano", "--language", "fr", "--out", str(out), *more]


def interrupt(*arguments, **named):
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def labelled(interview):
    """The corpus, at the third attempt: nothing was kept, then it was stopped; and it is heard but once."""
    out, done = interview.parent / "pseudo", []
    with pytest.raises(ParlureError, match="none of the 4 spans is kept: 4 unsure") as caught:
        label([interview], "nano", out, language="fr", policy=SpanPolicy(0.5), bounds=Bounds(1.0, 0.0),
              progress=lambda n, total: done.append((n, total)))  # fmt: skip
    assert caught.value.hint == (
        "loosen --min-confidence or --max-disagreement, or take a model that hears this speech better"
    )
    assert done[-1] == (8, 8)
    with pytest.raises(ParlureError, match="is not whole"):
        Corpus.load(out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("parlure.transcribing.engines.with_torch.TorchEngine.decode", interrupt)  # nothing is heard again
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr("parlure.transcribing.label._write", interrupt)
            assert cli.run(options(out, interview)) == 130
        return label([interview], "nano", out, language="fr", policy=SpanPolicy(0.5))


def test_what_is_heard_well_is_kept_and_the_rest_is_listed(labelled, interview):
    corpus = Corpus.load(labelled.folder)
    assert [one.text for one in corpus.utterances] == list(CLEAR)
    assert {one.split for one in corpus.utterances} == {"train"}
    assert all(one.tags[0] == "pseudo" and one.tags[1].startswith("confidence=") for one in corpus.utterances)
    lines = [json.loads(line) for line in (labelled.folder / "rejected.jsonl").read_text().splitlines()]
    assert (labelled.n_spans, labelled.n_kept, len(lines)) == (4, 3, 1)
    for line in lines:
        assert line["reason"] in ("unsure", "disagreement", "repetitive", "broken_off") and line["source"] == str(
            interview
        )
        assert {"text", "second_text", "confidence", "disagreement", "start", "end"} <= set(line["row"])
    figures = [json.loads(line) for line in (labelled.folder / "pseudo.jsonl").read_text().splitlines()]
    assert [row["id"] for row in figures] == [one.id for one in corpus.utterances]
    assert all(row["confidence"] >= 0.6 and row["disagreement"] <= 0.1 for row in figures)
    filter_corpus(labelled.folder, interview.parent / "sure", keep="tag.confidence >= 0.5")
    info = corpus.info
    assert (info["n_read"], info["n_used"], info["rejected"]["total"]) == (4, 3, 1)
    assert info["pseudo"]["first"]["model"] == "nano" and len(info["pseudo"]["first"]["sha256"]) == 64
    assert (info["pseudo"]["first"]["speed"], info["pseudo"]["second"]["speed"]) == (1.0, 1.05)
    assert not list(labelled.folder.glob("label-*.jsonl"))
    assert labelled.lines()[0].startswith(f"{labelled.folder}: 3 of 4 spans")


def test_the_folder_is_a_new_one(labelled, interview, capsys):
    assert cli.run(options(labelled.folder, interview)) == 2
    assert capsys.readouterr().err == (
        f"error: {labelled.folder} is a corpus already, and pseudo-labels make a new one\n"
        "hint: name a new folder, and merge the two\n"
    )
    assert cli.run(options(labelled.folder, interview, "--min-confidence", "2")) == 2


def test_no_model_is_judged_by_pseudo_labels(tmp_path):
    folder = make_corpus(
        tmp_path / "corpus",
        said("a"),
        said("b", split="dev", tags=("pseudo", "confidence=0.9")),
        said("c", split="test"),
    )
    corpus = Corpus.load(folder)
    message = f"1 dev utterances of {folder} are pseudo-labels, a model's own texts and no reference"
    for judge in (
        lambda: decodable(corpus, "dev"),
        lambda: load_guards([f"mine={folder}"], "dev"),
        lambda: Development.of(corpus, parse_recipe({"data": {"corpus": str(folder)}}, "recipe")),
    ):
        with pytest.raises(ParlureError) as caught:
            judge()
        assert caught.value.message == message
        assert "hear and confirm them: parlure correct MODEL --corpus" in caught.value.hint
        assert "'\"pseudo\" not in tags'" in caught.value.hint
    assert len(decodable(corpus, "test")) == 1
    with corrected(folder) as desk:
        desk.save("b", "confirmed")
    assert len(decodable(Corpus.load(folder), "dev")) == 1  # a person has heard it
    assert Corpus.load(folder).utterances[1].tags == ()


def test_a_merge_keeps_pseudo_labels_in_train(tmp_path):
    mine = make_corpus(tmp_path / "mine", said("a"), said("b", split="test"))
    pseudo = make_corpus(tmp_path / "pseudo", said("c", tags=("pseudo",)))
    with pytest.raises(
        ParlureError, match="1 utterances are pseudo-labels, which belong into train, and --ratios"
    ) as caught:
        merge_corpora([mine, pseudo], tmp_path / "new", ratios=(0.5, 0.25, 0.25), group_by=("none",))
    assert caught.value.hint == "leave out --ratios: every utterance stays in its split"
    leaking = make_corpus(
        tmp_path / "leaking", said("d", start=2.0, end=4.0, tags=("pseudo",), recording="/calls/b.wav")
    )
    with pytest.raises(ParlureError) as caught:
        merge_corpora([mine, leaking], tmp_path / "new", group_by=("none",))
    assert caught.value.message == (
        "1 pseudo-labels are of recordings that dev or test are made of, such as /calls/b.wav"
    )
    assert caught.value.hint == "leave those recordings out of parlure label"
    merge_corpora([mine, pseudo], tmp_path / "both", group_by=("none",))
    splits = {one.text: one.split for one in Corpus.load(tmp_path / "both").utterances if "pseudo" in one.tags}
    assert set(splits.values()) == {"train"}
