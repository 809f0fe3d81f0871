"""What models did at each skill → values, intervals and verdicts, against outside implementations and by hand."""

from __future__ import annotations

import builtins
import itertools
import json
import random

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from parlure.errors import ParlureError
from parlure.scoring.evidence import read_evidence, skills_of, write_evidence
from parlure.scoring.evidence.error_rates import counted
from parlure.scoring.evidence.timestamps import boundary_errors, in_order
from parlure.scoring.evidence.translation import needs_sacrebleu
from parlure.scoring.report import build_report, recompute, write_report
from parlure.scoring.utterances import score_utterances

SYSTEMS = ("base", "tuned")
SENTENCES = [
    "the cat sleeps on the mat",
    "we will call you back tomorrow morning",
    "it is too cold to go out today",
    "please give me your phone number",
    "the appointment is at half past two",
]


def spoilt(random_: random.Random, text: str, share: float) -> str:
    return " ".join(word if random_.random() > share else random_.choice(["dog", "and", ""]) for word in text.split())


@pytest.fixture(scope="module")
def translations() -> list[dict]:
    """60 sentences of 12 speakers; tuned forgot much."""
    random_ = random.Random(4)
    rows = []
    for number in range(60):
        text = random_.choice(SENTENCES)
        heard = {"base": spoilt(random_, text, 0.15), "tuned": spoilt(random_, text, 0.5)}
        rows.append({"skill": "translation", "id": f"t{number}", "block": number % 12, "language": "fr",
                     "reference": text, "hypotheses": heard})  # fmt: skip
    return rows


def test_translation_is_sacrebleus(translations) -> None:
    skills = skills_of(translations, SYSTEMS)
    assert list(skills) == ["translation", "translation.bleu"]
    references = [[row["reference"] for row in translations]]
    for system in SYSTEMS:
        texts = [row["hypotheses"][system] for row in translations]
        chrf, bleu = sacrebleu.corpus_chrf(texts, references).score, sacrebleu.corpus_bleu(texts, references).score
        assert skills["translation"][system]["value"] == pytest.approx(chrf)
        assert skills["translation.bleu"][system]["value"] == pytest.approx(bleu)
        assert skills["translation"][system]["n"] == 60
    assert (skills["translation"]["better"], skills["translation"]["verdict"]) == ("higher", "worse")
    assert "nrefs:1" in skills["translation"]["how"]
    assert "tok:13a" in skills["translation.bleu"]["how"]


def test_translation_interval_leaves_out_speakers(translations) -> None:
    """The same jackknife from corpus scores of what is left, text by text."""
    skill = skills_of(translations, SYSTEMS)["translation"]

    def difference(rows: list[dict]) -> float:
        references = [[row["reference"] for row in rows]]
        scores = [sacrebleu.corpus_chrf([row["hypotheses"][s] for row in rows], references).score for s in SYSTEMS]
        return scores[1] - scores[0]

    without = np.array([difference([row for row in translations if row["block"] != block]) for block in range(12)])
    half = 2.200985 * np.sqrt(11 / 12 * np.square(without - without.mean()).sum())  # Student's t, 11 degrees of freedom
    whole = difference(translations)
    assert skill["comparison"]["difference"] == pytest.approx(whole)
    assert skill["comparison"]["ci95"] == pytest.approx([whole - half, whole + half])


def test_translation_test_exchanges_speakers(translations) -> None:
    """With six speakers, all 64 exchanges, each scored by sacrebleu from the texts."""
    rows = [row | {"block": row["block"] % 6} for row in translations[:18]]
    references = [[row["reference"] for row in rows]]
    found = []
    for sides in itertools.product((0, 1), repeat=6):
        texts = [[row["hypotheses"][SYSTEMS[sides[row["block"]] ^ one]] for row in rows] for one in (0, 1)]
        scores = [sacrebleu.corpus_chrf(own, references).score for own in texts]
        found.append(abs(scores[1] - scores[0]))
    skill = skills_of(rows, SYSTEMS)["translation"]
    assert skill["comparison"]["p_value"] == pytest.approx(np.mean(np.array(found) >= found[0] - 1e-9))
    assert skill["verdict"] == "too few speakers"


def test_translation_one_system_alone_and_equal_systems(translations) -> None:
    alone = skills_of(translations, ("tuned",))["translation"]
    assert alone["verdict"] is None
    assert "comparison" not in alone
    same = [row | {"hypotheses": dict.fromkeys(SYSTEMS, row["hypotheses"]["tuned"])} for row in translations]
    skill = skills_of(same, SYSTEMS)["translation"]
    assert skill["comparison"] == {"difference": 0.0, "ci95": [0.0, 0.0], "p_value": 1.0, "n_blocks": 12}
    assert skill["verdict"] == "no evidence"


def test_without_sacrebleu(monkeypatch) -> None:
    imported = builtins.__import__

    def refuse(name, *rest, **more):
        if name.startswith("sacrebleu"):
            raise ImportError(name)
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ParlureError, match="scoring translations needs the package sacrebleu") as caught:
        needs_sacrebleu()
    assert caught.value.hint == 'pip install "parlure[score]"'


def language_rows(n_right: dict[str, int], n: int = 20) -> list[dict]:
    return [
        {"skill": "language_identification", "id": f"l{number}", "block": number // 2, "language": "fr",
         "identified": {system: "fr" if number < right else "oc" for system, right in n_right.items()}}
        for number in range(n)
    ]  # fmt: skip


def test_language_identification() -> None:
    skill = skills_of(language_rows({"base": 20, "tuned": 4}), SYSTEMS)["language_identification"]
    assert (skill["base"]["value"], skill["tuned"]["value"]) == (100.0, 20.0)
    assert (skill["base"]["n"], skill["better"], skill["verdict"]) == (20, "higher", "worse")
    assert skill["comparison"]["difference"] == -80.0
    assert skill["languages"] == {"fr": {"n": 20, "base": 100.0, "tuned": 20.0}}
    low, high = skill["tuned"]["ci95"]
    assert 0.0 <= low < 20.0 < high < 100.0


def test_a_perfect_score_is_not_certain() -> None:
    """Ten speakers without a failure: Clopper and Pearson's interval for 10 of 10, as their tables have it."""
    exact = 0.6915029
    skill = skills_of(language_rows({"base": 20, "tuned": 0}), SYSTEMS)["language_identification"]
    assert skill["base"]["ci95"] == pytest.approx([100 * exact, 100.0], abs=1e-4)
    assert skill["tuned"]["ci95"] == pytest.approx([0.0, 100 * (1 - exact)], abs=1e-4)
    assert skill["verdict"] == "worse"


def silence_row(number: int, pinned: dict[str, str], free: dict[str, str], kind: str = "hold music") -> dict:
    texts = {system: {"pinned": pinned[system], "free": free[system]} for system in pinned}
    return {"skill": "silence", "id": f"s{number}", "block": number, "kind": kind, "duration_s": 30.0,
            "language": "fr", "hypotheses": texts, "identified": dict.fromkeys(pinned, "en")}  # fmt: skip


def test_silence_counts_clips_with_words() -> None:
    rows = [silence_row(n, {"base": "", "tuned": "merci d'avoir regardé" if n < 6 else "..."},
                        {"base": "♪", "tuned": "thank you"}, "DTMF" if n < 4 else "hold music")
            for n in range(10)]  # fmt: skip
    skills = skills_of(rows, SYSTEMS)
    assert list(skills) == ["silence", "silence.free"]
    assert (skills["silence"]["base"]["value"], skills["silence"]["tuned"]["value"]) == (0.0, 60.0)
    assert skills["silence"]["tuned"]["words_per_minute"] == pytest.approx(6 * 4 / 5)
    assert skills["silence"]["kinds"] == {
        "DTMF": {"n": 4, "base": 0, "tuned": 4},
        "hold music": {"n": 6, "base": 0, "tuned": 2},
    }
    assert skills["silence"]["verdict"] == skills["silence.free"]["verdict"] == "worse"
    assert (skills["silence.free"]["base"]["value"], skills["silence.free"]["tuned"]["value"]) == (0.0, 100.0)


def timed(reference: list, segments: dict[str, list], block: int = 0) -> dict:
    return {"skill": "timestamps", "id": f"p{block}", "block": block, "reference": reference, "segments": segments}


def test_timestamps() -> None:
    reference = [[0.0, 1.0, "un"], [1.5, 2.5, "deux"], [3.0, 4.0, "trois"], [4.0, 5.0, " "]]
    exact = [[0.2, 1.1, "un"], [1.3, 2.5, "deux"], [3.0, 4.2, "trois"]]
    whole = [[0.1, 4.1, "un deux trois"]]
    rows = [timed(reference, {"base": exact, "tuned": whole}, block) for block in range(8)]
    skill = skills_of(rows, SYSTEMS)["timestamps"]
    assert skill["base"]["value"] == 100.0
    assert skill["base"]["n"] == 8 * 6  # the phrase without words is none
    assert skill["base"]["start_error_s"] == pytest.approx(0.2)
    assert skill["base"]["end_error_s"] == pytest.approx(0.1)
    # of one segment over three phrases, the first start and the last end are right
    assert skill["tuned"]["value"] == pytest.approx(100 * 2 / 6)
    assert skill["verdict"] == "worse"
    assert (skill["base"]["missed"], skill["base"]["in_order"]) == (0.0, 100.0)


def test_timestamps_that_are_missing_or_out_of_order() -> None:
    reference = [[0.0, 1.0, "un"], [2.0, 3.0, "deux"]]
    rows = [timed(reference, {"tuned": [[2.0, 3.0, "deux"], [1.5, 1.9, "un"]]}), timed(reference, {"tuned": []}, 1)]
    skill = skills_of(rows, ("tuned",))["timestamps"]["tuned"]
    assert skill["value"] == pytest.approx(100 * 2 / 8)
    assert (skill["missed"], skill["in_order"]) == (75.0, 50.0)
    assert not in_order([[1.0, 0.5, "x"]])
    nothing = skills_of([timed(reference, {"tuned": []})], ("tuned",))["timestamps"]["tuned"]
    assert (nothing["value"], nothing["start_error_s"], nothing["ci95"]) == (0.0, None, [0.0, pytest.approx(97.5)])


@given(st.lists(st.tuples(st.floats(0.1, 3), st.floats(0.1, 3)), min_size=1, max_size=6), st.floats(-0.05, 0.05))
def test_shifted_phrases_are_missed_by_the_shift(steps, shift) -> None:
    """Phrases that are all late by the same little are each matched to themselves."""
    clock, phrases = 1.0, []
    for gap, length in steps:
        phrases.append([clock + gap, clock + gap + length, "x"])
        clock = phrases[-1][1]
    shifted = [[start + shift, end + shift, text] for start, end, text in phrases]
    for error in boundary_errors(phrases, shifted):
        assert error == pytest.approx((shift, shift), abs=1e-9)


def word_row(skill: str, number: int, base: str, tuned: str, **more) -> dict:
    texts = counted("fr", "le chat dort sur la table", {"base": base, "tuned": tuned})
    return {"skill": skill, "id": f"{skill}{number}", "block": number, **more, **texts}


def test_long_form_and_guards() -> None:
    good, bad = "Le chat dort sur la table.", "le chien mord"
    rows = [word_row("long_form", n, good, bad, duration_s=45.0, made_from="recordings", utterances=["a", "b"])
            for n in range(9)]  # fmt: skip
    rows += [word_row("guard", n, bad, good, corpus="general") for n in range(9)]
    rows += [word_row("guard", n, good, good, corpus="English") for n in range(3)]
    skills = skills_of(rows, SYSTEMS)
    assert list(skills) == ["long_form", "guard.general", "guard.English"]
    assert (skills["long_form"]["base"]["value"], skills["long_form"]["tuned"]["value"]) == (
        0.0,
        pytest.approx(500 / 6),
    )
    assert (skills["long_form"]["verdict"], skills["long_form"]["profile"]) == ("worse", "fr")
    assert skills["long_form"]["how"] == (
        "windows of 30 s in sequence, 9 pieces of 6.8 minutes in all, from recordings"
    )
    assert skills["guard.general"]["verdict"] == "better"
    assert skills["guard.general"]["comparison"]["difference"] == pytest.approx(-500 / 6)
    assert skills["guard.English"]["verdict"] == "too few speakers"


def test_evidence_goes_to_disk_and_back(tmp_path, translations) -> None:
    assert read_evidence(tmp_path) == []
    rows = [*translations, *language_rows({"base": 20, "tuned": 19})]
    write_evidence(tmp_path, rows)
    assert read_evidence(tmp_path) == rows
    assert skills_of(read_evidence(tmp_path), SYSTEMS) == skills_of(rows, SYSTEMS)
    json.dumps(skills_of(rows, SYSTEMS), allow_nan=False)


def test_a_report_names_what_is_broken_and_computes_it_again(tmp_path) -> None:
    report_rows = [
        {"id": f"u{n}", "speaker": f"s{n}", "reference": "le chat dort", "language": "fr",
         "hypotheses": {"base": "le chat", "tuned": "le chat dort"}} for n in range(10)
    ]  # fmt: skip
    evidence = language_rows({"base": 20, "tuned": 4})
    scored = score_utterances(report_rows, ["fr"])
    systems = {name: {"model": name, "hash": "", "decode": {}} for name in SYSTEMS}
    report = build_report(scored, systems, "fr", skills=skills_of(evidence, SYSTEMS))
    assert list(report["skills"]) == ["transcription.fr", "language_identification"]
    assert report["broken"] == ["language_identification"]
    write_evidence(tmp_path, evidence)
    write_report(tmp_path, scored, report)
    assert recompute(tmp_path) == json.loads((tmp_path / "report.json").read_text())
    write_evidence(tmp_path, language_rows({"base": 20, "tuned": 20}))
    assert recompute(tmp_path)["broken"] == []
