"""Terms: counts by hand, whole words only, seen and unseen, and every list that is no list refused by its line."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure import cli
from parlure.errors import ParlureError
from parlure.scoring.terms import Term, mark_seen, occurrences, read_terms, spaced, term_accuracy, terms_of_report
from parlure.scoring.utterances import score_utterances

NONE = {"n_right": 0, "n_reference": 0, "n_hypothesis": 0, "recall": None, "precision": None, "f1": None}


def _scored(*pairs):
    rows = [
        {"id": f"u{number}", "reference": said, "hypotheses": {"tuned": heard}}
        for number, (said, heard) in enumerate(pairs)
    ]
    return score_utterances(rows, ["fr"])


def test_a_list_is_read_as_written(tmp_path):
    (tmp_path / "terms.txt").write_text(
        "\ufeff# our products\n\nSaint-Hyacinthe\n carte  de crédit # the card\nC#\n#hidden\nGPT-4\n", encoding="utf-8"
    )
    assert [term.text for term in read_terms(tmp_path / "terms.txt")] == [
        "Saint-Hyacinthe", "carte de crédit", "C#", "GPT-4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        ("un\tdeux\n", r"terms.txt, line 1: a tab within a term", "a term list is plain text, a term a line"),
        ("un\n\n?!\n", r"terms.txt, line 3: \?! has no letter and no digit", "a term is made of words"),
        ("Un\n# deux\nun\n", r"terms.txt, line 3: un is in line 1 already", "name each term once"),
        ("# nothing\n\n", r"terms.txt names no term", "a term a line, such as Saint-Hyacinthe"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, content, message, hint):
    (tmp_path / "terms.txt").write_text(content)
    with pytest.raises(ParlureError, match=message) as caught:
        read_terms(tmp_path / "terms.txt")
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("term", "text", "n"),
    [
        ("carte", "Carte, carte. Cartes", 2),
        ("carte de crédit", "une carte de crédit, pas une carte de débit", 1),
        ("oui", "oui oui oui", 3),
        ("oui oui", "oui oui oui oui oui", 2),
        ("l'été", "L’été et l' été", 2),
        ("St-Jean", "saint Jean", 1),
        ("80", "quatre-vingts dollars", 1),
        ("!", "oui !", 0),
    ],
)
def test_occurrences_are_of_normalised_whole_words(term, text, n):
    assert occurrences(spaced(term, "fr"), spaced(text, "fr")) == n


def test_by_hand():
    scored = _scored(
        ("Vidéotron m'a envoyé une carte de crédit", "Vidéotron m'a envoyé une carte de crédit"),
        ("Vidéotron, Vidéotron", "vidéo tron vidéotron"),
        ("une carte", "une carte Vidéotron"),
    )
    terms = mark_seen([Term("Vidéotron"), Term("carte"), Term("Bell")], ["j'ai une carte", "cartes"], "fr")
    assert terms == [Term("Vidéotron", False), Term("carte", True), Term("Bell", False)]
    block = term_accuracy(scored, "fr", ["tuned"], terms)
    videotron = {
        "n_right": 2,
        "n_reference": 3,
        "n_hypothesis": 3,
        "recall": 200 / 3,
        "precision": 200 / 3,
        "f1": 400 / 6,
    }
    carte = {"n_right": 2, "n_reference": 2, "n_hypothesis": 2, "recall": 100.0, "precision": 100.0, "f1": 100.0}
    together = {"n_right": 4, "n_reference": 5, "n_hypothesis": 5, "recall": 80.0, "precision": 80.0, "f1": 80.0}
    assert block == {
        "n_terms": 3,
        "systems": {"tuned": {"all": together, "seen": carte, "unseen": videotron}},
        "terms": [
            {"term": "Vidéotron", "seen": False, "systems": {"tuned": videotron}},
            {"term": "carte", "seen": True, "systems": {"tuned": carte}},
            {"term": "Bell", "seen": False, "systems": {"tuned": NONE}},
        ],
    }
    assert terms_of_report(block) == terms and terms_of_report(None) == []


def test_without_training_texts_nothing_is_seen_or_unseen():
    block = term_accuracy(_scored(("a", "a")), "fr", ["tuned"], [Term("a")])
    assert mark_seen([Term("a")], [], "fr") == [Term("a")]
    assert list(block["systems"]["tuned"]) == ["all"] and block["terms"][0]["seen"] is None
    assert term_accuracy(_scored(("a", "a")), "fr", ["tuned"], []) is None


def test_two_spellings_of_one_term_count_once():
    block = term_accuracy(_scored(("à Saint-Jean", "à Jean")), "fr", ["tuned"], [Term("Saint-Jean"), Term("St-Jean")])
    assert block["systems"]["tuned"]["all"]["n_reference"] == 1
    assert [one["systems"]["tuned"]["n_reference"] for one in block["terms"]] == [1, 1]


def _write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_the_command_takes_a_list(tmp_path, capsys):
    said = [("train", "le forfait Helix"), ("test", "mon forfait Vidéotron"), ("test", "forfait")]
    rows = [{"id": f"u{n}", "text": text, "language": "fr", "split": split} for n, (split, text) in enumerate(said)]
    ref = _write(tmp_path / "ref.jsonl", rows)
    hyp = _write(tmp_path / "hyp.jsonl", [{"id": "u1", "text": "mon forfait"}, {"id": "u2", "text": "forfait Helix"}])
    (tmp_path / "terms.txt").write_text("forfait\nVidéotron\nHelix\n", encoding="utf-8")
    arguments = ["score", ref, hyp, "--split", "test", "--terms", str(tmp_path / "terms.txt")]
    assert cli.run(arguments) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "terms  tuned recall 66.67 % (2 of 3), precision 66.67 %, F1 66.67 %; "
        "seen in training: recall 100.00 % (2 of 2); unseen in training: recall 0.00 % (0 of 1)"
    )
    assert cli.run([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["profiles", "terms"] and [one["seen"] for one in found["terms"]["terms"]] == [
        True, False, True,
    ]  # fmt: skip
    (tmp_path / "terms.txt").write_text("a\nb\na\n")
    assert cli.run(arguments) == 2
    assert "line 3: a is in line 1 already" in capsys.readouterr().err


def test_an_evaluation_looks_for_them_in_the_train_split(corpus, corpus_folder, tmp_path, monkeypatch):
    from parlure.corpus.manifest import Corpus
    from parlure.scoring.report import recompute
    from parlure.scoring.skills import evaluate
    from parlure.transcribing.hypothesis import Hypothesis

    def hear_nothing(model, tokenizer, clips, options, progress=None):
        return [Hypothesis(clip.id, "", "fr", None, None, None, (), False) for clip in clips]

    monkeypatch.setattr("parlure.transcribing.engines.with_torch.decode", hear_nothing)
    train, test = corpus.select("train")[:1], corpus.select("test")[:1]
    monkeypatch.setattr(Corpus, "load", lambda folder: Corpus(corpus.folder, train + test, corpus.info))
    known = train[0].text.split()[0]
    (tmp_path / "terms.txt").write_text(f"{known}\nVidéotron Helix\n", encoding="utf-8")
    out = tmp_path / "report"
    report = evaluate(corpus_folder, "nano", out, terms=tmp_path / "terms.txt", nonspeech_per_kind=0)
    assert [(one["term"], one["seen"]) for one in report["terms"]["terms"]] == [
        (known, True), ("Vidéotron Helix", False),
    ]  # fmt: skip
    assert json.loads(json.dumps(recompute(out)["terms"])) == json.loads((out / "report.json").read_text())["terms"]


def test_a_bad_list_is_refused_before_anything_is_decoded(tmp_path, capsys):
    (tmp_path / "terms.txt").write_text("?\n")
    out = tmp_path / "report"
    arguments = [
        "evaluate",
        str(tmp_path),
        "--model",
        "nano",
        "--out",
        str(out),
        "--terms",
        str(tmp_path / "terms.txt"),
    ]
    assert cli.run(arguments) == 2
    assert "line 1: ? has no letter and no digit" in capsys.readouterr().err and not out.exists()


WORDS = st.lists(st.sampled_from(["carte", "de", "crédit", "oui"]), max_size=8).map(" ".join)


@settings(deadline=None, max_examples=50)
@given(pairs=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6), seed=st.integers(0, 5))
def test_any_order_and_both_directions(pairs, seed):
    terms = [Term("carte"), Term("carte de crédit"), Term("de")]
    block = term_accuracy(_scored(*pairs), "fr", ["tuned"], terms)
    mixed = random.Random(seed).sample(pairs, len(pairs))
    assert term_accuracy(_scored(*mixed), "fr", ["tuned"], terms) == block
    swapped = term_accuracy(_scored(*[(heard, said) for said, heard in pairs]), "fr", ["tuned"], terms)
    mine, theirs = (one["systems"]["tuned"]["all"] for one in (block, swapped))
    assert (mine["recall"], mine["f1"]) == (theirs["precision"], theirs["f1"])
    own = term_accuracy(_scored(*[(said, said) for said, _ in pairs]), "fr", ["tuned"], terms)["systems"]["tuned"]
    assert own["all"]["recall"] in (None, 100.0) and own["all"]["n_reference"] == mine["n_reference"]
