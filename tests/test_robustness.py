"""Through telephone channels: both models hear one sound, tables add up, other sounds are not compared."""

import json
import re
from collections import defaultdict
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scored import report_of, rows_of
from talking import share_above_db

from parlure import cli
from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.voices import OtherVoices
from parlure.errors import ParlureError
from parlure.scoring.comparing import compare_reports
from parlure.scoring.report import write_report
from parlure.scoring.robustness import markdown, recompute
from parlure.scoring.skills import evaluate
from parlure.scoring.skills.robustness import robustness
from parlure.speech.audio import read_audio, write_audio
from parlure.speech.channel.expression import parse_channel
from parlure.transcribing.hypothesis import Hypothesis

WORDS = ["un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Ten speakers, each with three utterances of white noise, which every narrow band is told from."""
    folder, rng, utterances = tmp_path_factory.mktemp("world"), np.random.default_rng(3), []
    for speaker in range(10):
        recording = str(folder / f"{speaker}.wav")
        write_audio(recording, (0.05 * rng.standard_normal(16_000 * 3)).astype(np.float32))
        for number in range(3):
            text = " ".join(WORDS[(speaker + number + i) % 10] for i in range(5))
            utterances.append(
                Utterance(id=f"s{speaker}-{number}", recording=recording, start=float(number), end=number + 1.0,
                          channel=0, text=text, language="fr", speaker=f"s{speaker}", session=f"call{speaker}",
                          split="test")
            )  # fmt: skip
    return Corpus(folder, tuple(utterances), {})


@pytest.fixture
def scripted(world, monkeypatch):
    """``deaf`` mishears half of what ends at 4 kHz, ``good`` nothing; keeps every sound that is decoded."""
    heard = defaultdict(list)
    said = {u.id: u.text for u in world.utterances}

    def decode(model, tokenizer, clips, options, progress=None):
        found = []
        for clip in clips:
            sound = clip.read()
            heard[model.name].append((clip.id, sound))
            is_narrow = np.abs(sound).max() > 0 and share_above_db(sound, 4_100) < -40
            words = said.get(clip.id, "").split()
            text = " ".join(words[:2] if is_narrow and model.name == "deaf" else words)
            found.append(Hypothesis(clip.id, text, "fr", None, 0.5, -0.1, (1,), False, "fr"))
        return found

    def load(name, device=None):
        model = SimpleNamespace(name=name, dtype="torch.float32", device=SimpleNamespace(type="cpu"))
        return SimpleNamespace(model=model, tokenizer=None, name=name, sha256=name * 8)

    monkeypatch.setattr("parlure.transcribing.engines.with_torch.decode", decode)
    monkeypatch.setattr("parlure.transcribing.engines.choice.load", load)
    monkeypatch.setattr(Corpus, "load", lambda folder: world)
    return heard


def stop(*arguments, **more):
    raise KeyboardInterrupt


# ------------------------------------------------------------------------------------------ the table


def test_the_table(scripted, tmp_path):
    out = tmp_path / "table"
    table = robustness(tmp_path, "good", out, against="deaf", conditions=["gsm", "g722", "g711 > loss(0.2)"])
    assert list(table["conditions"]) == ["clean", "gsm", "g722", "g711 > loss(0.2)"]
    clean, gsm, wide = (table["conditions"][name] for name in ("clean", "gsm", "g722"))
    assert clean["base"]["wer"] == {"S": 0, "D": 0, "I": 0, "N": 150, "rate": 0.0, "ci95": (0.0, 0.0)}
    assert "against_clean" not in clean["base"]
    assert gsm["base"]["wer"]["rate"] == 60.0 and gsm["tuned"]["wer"]["rate"] == 0.0
    assert wide["base"]["wer"]["rate"] == 0.0
    assert gsm["base"]["against_clean"]["difference"] == 60.0 and gsm["base"]["against_clean"]["verdict"] == "worse"
    assert (gsm["comparison"]["difference"], gsm["comparison"]["verdict"]) == (-60.0, "better")
    assert gsm["comparison"]["p_holm"] >= gsm["comparison"]["p_value"]
    assert table["conditions"]["g711 > loss(0.2)"]["channel"] == (
        "g711(law=mu) > loss(rate=0.2, burst=1, conceal=none)"
    )
    assert table["systems"]["base"]["model"] == "deaf" and table["systems"]["base"]["decode"]["audio_s"] == 120.0
    assert set(table["sound"]) == {"version", "av", "libsndfile"}
    assert table["warnings"] == ["4 conditions: one interval in twenty misses the truth; p_holm allows for it."]
    assert not list(out.glob("decoding-*"))


def test_the_folder_gives_its_numbers_again(scripted, tmp_path):
    out = tmp_path / "table"
    table = robustness(tmp_path, "good", out, against="deaf", conditions=["gsm"])
    stored = json.loads((out / "robustness.json").read_text())
    assert json.loads(json.dumps(recompute(out))) == stored == json.loads(json.dumps(table))
    rows = [json.loads(line) for line in (out / "utterances.jsonl").read_text().splitlines()]
    assert [row["condition"] for row in rows] == ["clean"] * 30 + ["gsm"] * 30
    assert all(row["hypotheses"]["tuned"] == row["reference"].lower() for row in rows)


def test_a_page_of_it(scripted, tmp_path):
    out = tmp_path / "table"
    table = robustness(tmp_path, "good", out, against="deaf", conditions=["gsm"])
    lines = (out / "robustness.md").read_text().splitlines()
    assert lines[0] == "| condition | N | base: WER | lost | tuned: WER | lost | tuned − base | verdict |"
    assert lines[2] == "| `clean` | 150 | 0.0 [0.0, 0.0] |  | 0.0 [0.0, 0.0] |  | 0.0 [0.0, 0.0] | no evidence |"
    assert re.match(
        r"\| `gsm` \| 150 \| 60\.0 \[.*\] \| \+60\.0 \[.*\] \| 0\.0 .* −60\.0 \[.*\] \| better \|", lines[3]
    )
    assert lines[5].endswith("30 utterances, test split, profile fr, seed 0. lost: against clean.")
    alone = robustness(tmp_path, "deaf", tmp_path / "alone", conditions=["gsm"])
    assert markdown(alone).splitlines()[0] == "| condition | N | tuned: WER | lost |"
    assert "comparison" not in alone["conditions"]["gsm"] and table["n_utterances"] == 30


def test_both_models_hear_the_same_sound(scripted, tmp_path):
    conditions = ["loss(0.2)", "noise(-10)", "crosstalk", "amr(4.75..12.2) > dtmf"]
    robustness(tmp_path, "good", tmp_path / "table", against="deaf", conditions=conditions)
    assert len(scripted["good"]) == 5 * 30
    for (id_, one), (other_id, other) in zip(scripted["good"], scripted["deaf"], strict=True):
        assert id_ == other_id and np.array_equal(one, other)
    sounds = {sound.tobytes() for _, sound in scripted["good"]}
    assert len(sounds) == 5 * 30


def test_another_seed_sounds_otherwise(scripted, tmp_path):
    for seed in (0, 1, 0):
        robustness(tmp_path, "good", tmp_path / "table", conditions=["noise"], seed=seed)
    first, second, again = (scripted["good"][start : start + 60] for start in (0, 60, 120))
    by_id = [{(id_, sound.tobytes()) for id_, sound in own} for own in (first, second, again)]
    assert by_id[0] == by_id[2] and len(by_id[0] & by_id[1]) == 30  # clean alone is the same


def test_it_goes_on_where_it_stopped(scripted, tmp_path, monkeypatch):
    monkeypatch.setattr("parlure.scoring.skills.robustness.write_table", stop)
    for conditions, n_new in ((["gsm"], 60), (["gsm"], 0), (["amr", "gsm"], 30), (["amr(4.75)", "gsm"], 30)):
        before = len(scripted["good"])
        with pytest.raises(KeyboardInterrupt):
            robustness(tmp_path, "good", tmp_path / "table", conditions=conditions)
        assert len(scripted["good"]) - before == n_new


def test_the_usual_conditions_without_a_second_speaker(world, scripted, tmp_path, monkeypatch):
    alone = Corpus(world.folder, tuple(u for u in world.utterances if u.speaker == "s0"), {})
    monkeypatch.setattr(Corpus, "load", lambda folder: alone)
    monkeypatch.setattr("parlure.scoring.skills.robustness.USUAL", ("narrow", "crosstalk"))
    table = robustness(tmp_path, "good", tmp_path / "table")
    assert list(table["conditions"]) == ["clean", "narrow"]
    assert table["warnings"][:2] == [
        "No cross-talk: all utterances are of one speaker.",
        "Only 1 independent speakers or sessions: no verdict below 8.",
    ]
    with pytest.raises(ParlureError, match=r"cross-talk needs somebody else's voice, and these 3 utterances") as caught:
        robustness(tmp_path, "good", tmp_path / "table", conditions=["crosstalk"])
    assert caught.value.hint == ("leave crosstalk out, or name the speakers when the corpus is prepared: --speaker COL")


def test_refusals_come_before_anything_is_decoded(world, scripted, tmp_path, monkeypatch):
    with pytest.raises(ParlureError, match="there is no condition 'gsmm'"):
        robustness(tmp_path, "good", tmp_path / "table", conditions=["gsmm"])
    with pytest.raises(ParlureError, match="there is no condition 'gsmm'"):
        evaluate(tmp_path, "good", tmp_path / "report", condition="gsmm")
    with pytest.raises(ParlureError, match="has no dev utterances"):
        robustness(tmp_path, "good", tmp_path / "table", split="dev")
    translated = replace(world.utterances[0], task="translate")
    monkeypatch.setattr(Corpus, "load", lambda folder: Corpus(world.folder, (translated,), {}))
    with pytest.raises(ParlureError, match="has nothing to transcribe in its test split") as caught:
        robustness(tmp_path, "good", tmp_path / "table")
    assert caught.value.hint == "choose another --split"
    assert not scripted and not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(scripted, tmp_path):
    (tmp_path / "table" / "robustness.md").mkdir(parents=True)
    with pytest.raises(ParlureError, match="cannot write the table into") as caught:
        robustness(tmp_path, "good", tmp_path / "table", conditions=["narrow"])
    assert caught.value.hint == "choose another --out"


def test_the_command(scripted, tmp_path, capsys):
    arguments = ["robustness", str(tmp_path), "--model", "good", "--conditions", "gsm,loss(0.1, burst=2)"]
    assert cli.run([*arguments, "--seed", "3", "--out", str(tmp_path / "table")]) == 0
    told = capsys.readouterr()
    assert told.out == (tmp_path / "table" / "robustness.md").read_text()
    assert "`loss(0.1, burst=2)`" in told.out and "seed 3" in told.out
    assert "table: " in told.err and "note: 3 conditions: one interval" in told.err


# ------------------------------------------------------------------------------------------ other voices


def test_cross_talk_is_never_the_speakers_own_voice(world):
    voices, first = OtherVoices(reversed(world.utterances)), world.utterances[0]
    own = {read_audio(u.recording, u.start, u.end, 0).tobytes() for u in world.utterances if u.speaker == "s0"}
    said = [voices.than(first)(np.random.default_rng(seed)).tobytes() for seed in range(60)]
    assert not own & set(said) and len(set(said)) > 15
    again = OtherVoices(world.utterances).than(first)(np.random.default_rng(0)).tobytes()
    assert again == said[0]


# ------------------------------------------------------------------------------------------ evaluation


def test_a_report_through_a_channel(world, scripted, tmp_path):
    out = tmp_path / "report"
    report = evaluate(tmp_path, "good", out, against="deaf", condition="gsm > gain(-20)", nonspeech_per_kind=0)
    assert report["profiles"]["fr"]["base"]["wer"]["rate"] == 60.0
    expected = parse_channel("gsm > gain(-20)").description() | {"seed": 0}
    for system in ("tuned", "base"):
        assert report["systems"][system]["decode"]["condition"] == expected
        assert json.loads((out / f"hypotheses/{system}/decode.json").read_text())["decode"]["condition"] == expected
    assert report["warnings"][0] == (
        "Not the recordings as they are: every utterance was sent through gsm > gain(db=-20)."
    )
    assert "every utterance was sent through gsm" in (out / "report.html").read_text()
    first = json.loads((out / "utterances.jsonl").read_text().splitlines()[0])
    assert first["level_db"] < -40  # of what was heard


def test_the_command_evaluates_through_a_channel(scripted, tmp_path, monkeypatch):
    monkeypatch.setitem(evaluate.__kwdefaults__, "nonspeech_per_kind", 0)
    out = tmp_path / "report"
    assert cli.run(["evaluate", "x", "--model", "deaf", "--condition", "amr(4.75)", "--out", str(out)]) == 0
    report = json.loads((out / "report.json").read_text())
    assert report["systems"]["tuned"]["decode"]["condition"]["channel"] == "amr(kbps=4.75)"
    assert report["profiles"]["fr"]["tuned"]["wer"]["rate"] == 60.0


def test_without_one_nothing_is_changed(world, scripted, tmp_path):
    report = evaluate(tmp_path, "good", tmp_path / "report", nonspeech_per_kind=0)
    assert "condition" not in report["systems"]["tuned"]["decode"]
    heard = dict(scripted["good"])
    assert all(
        np.array_equal(heard[u.id], read_audio(u.recording, u.start, u.end, u.channel)) for u in world.utterances
    )


def test_what_was_decoded_through_one_channel_is_not_taken_for_anothers(scripted, tmp_path, monkeypatch):
    monkeypatch.setattr("parlure.scoring.skills.evaluation.build_report", stop)
    for condition, n_new in (("gsm", 30), ("gsm", 0), ("g711", 30), (None, 30), ("gsm", 30)):
        before = len(scripted["good"])
        with pytest.raises(KeyboardInterrupt):
            evaluate(tmp_path, "good", tmp_path / "report", condition=condition, nonspeech_per_kind=0)
        assert len(scripted["good"]) - before == n_new


def test_reports_of_two_channels_are_not_compared(tmp_path):
    for name, condition in (("plain", None), ("gsm", "gsm"), ("again", "gsm")):
        scored, report = report_of(rows_of())
        if condition:
            for system in report["systems"].values():
                system["decode"]["condition"] = parse_channel(condition).description() | {"seed": 0}
        write_report(tmp_path / name, scored, report)
    compare_reports([tmp_path / "gsm", tmp_path / "again"])
    with pytest.raises(ParlureError) as caught:
        compare_reports([tmp_path / "plain", tmp_path / "gsm"])
    assert caught.value.message == (
        f"{tmp_path / 'plain'} and {tmp_path / 'gsm'} were not evaluated on the same sound: "
        "the recordings as they are, and gsm"
    )
    assert caught.value.hint == "evaluate both with one --condition, one version of parlure and of its codecs"


def test_nano_through_gsm(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: Corpus(corpus.folder, corpus.select("test")[:2], corpus.info))
    table = robustness(tmp_path, "nano", tmp_path / "table", conditions=["gsm"])
    assert table["conditions"]["gsm"]["tuned"]["wer"]["N"] == table["conditions"]["clean"]["tuned"]["wer"]["N"] > 0
    report = evaluate(tmp_path, "nano", tmp_path / "report", condition="gsm", nonspeech_per_kind=0)
    assert report["profiles"]["fr"]["tuned"]["wer"]["S"] == table["conditions"]["gsm"]["tuned"]["wer"]["S"]
