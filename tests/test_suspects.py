"""Which transcripts are worth hearing again: reasons, ranking on planted errors, and what cannot be heard."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from made_corpora import five_utterances, make_corpus, said
from spoken import spoken

from parlure import cli
from parlure.corpus.correcting.desk import corrected
from parlure.corpus.correcting.ranking import Hearing, Suspect
from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, read_audio, write_audio
from parlure.training.batches import Tensors
from parlure.training.trainee import SummedLoss
from parlure.transcribing.correct import correct
from parlure.transcribing.decode import window_waves
from parlure.transcribing.likelihood import likelihoods
from parlure.whisper.prompt import encode_labels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return five_utterances(tmp_path)


def hearing(text: str, nats: float = 0.1, worst: str = "", probability: float = 0.9) -> Hearing:
    return Hearing(text, -0.1, nats, worst, probability)


def test_reasons_are_said_with_their_figures():
    one = said("a", "le chat dort", end=1.0)
    reasons = Suspect(one, hearing("le chien dort", 2.0, "chat", 0.004), hearing("Le chien dort.")).reasons()
    assert reasons == [
        "the model finds the transcript improbable: mean of a token 0.14, of what it hears 0.90",
        "base and tuned model hear the same, and it is not the transcript",
        "1 word edits from what the model hears, in 3 words",
        "“chat” is improbable here (0.004)",
    ]
    unsure = Suspect(one, Hearing("le chat dort", -1.0, 0.5, "", 0.9)).reasons()
    assert unsure == ["the model is unsure of what it hears (probability of a token 0.37)"]
    assert Suspect(one, hearing("Le chat dort !")).reasons() == ["nothing stands out: transcript and hypothesis agree"]
    assert Suspect(one, hearing("")).reasons()[0] == "the model hears nobody"
    silent = Suspect(said("b", "", end=1.0), hearing("allô")).reasons()
    assert silent[0] == "the transcript says that nobody speaks, the model hears words"


def test_differences_are_shown_as_written_and_compared_as_scored():
    steps = Suspect(said("a", "Oui, le chat dort.", end=1.0), hearing("oui le gros chien dort")).differences()
    assert [step for step in steps if step[0] != "equal"] in (
        [["insert", None, "gros"], ["substitute", "chat", "chien"]],
        [["substitute", "chat", "gros"], ["insert", None, "chien"]],
    )
    assert steps[0] == ["equal", "Oui,", "oui"]


SENTENCES = (
    "Demain matin, un miroir est fragile.", "Nous arrivons demain matin.", "Merci beaucoup, bonne soirée.",
    "Le petit chat dort dans la maison.", "Il fait froid ce matin.", "La voiture rouge est devant la porte.",
    "Je cherche mon livre depuis hier.", "Les enfants jouent dans le jardin.", "Mon frère travaille à la ville.",
    "La table est près de la fenêtre.",
)  # fmt: skip
WRONG = {1: "La nuit est longue en hiver.", 3: "Le petit chat", 7: "Les enfants jouent dans le potager."}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Ten sentences, the transcripts of three of which are another one's, cut off, and with another word."""
    home = tmp_path_factory.mktemp("planted")
    utterances = []
    for place, (sentence, sound) in enumerate(zip(SENTENCES, spoken(SENTENCES), strict=True)):
        samples = 0.5 * sound
        write_audio(home / f"{place}.wav", samples)
        text, end = WRONG.get(place, sentence), len(samples) / SAMPLE_RATE
        split = "dev" if place > 6 else "train"
        utterances.append(said(f"u{place}", text, end=end, recording=str(home / f"{place}.wav"), split=split))
    return make_corpus(home / "corpus", *utterances)


def test_wrong_transcripts_are_found_near_the_top(planted):
    done = []
    found = correct("nano", planted, progress=lambda n, total: done.append((n, total)))
    assert (done[-1], found.not_heard) == ((10, 10), ())
    top = [one.utterance.id for one in found.suspects]
    assert len({f"u{place}" for place in WRONG} & set(top[:5])) >= 2  # 1.5 at random; nano itself mishears some
    assert top[0] == "u1"
    journal = (planted / "correct" / "correct.jsonl").read_bytes()
    assert [one.to_json() for one in correct("nano", planted).suspects] == [one.to_json() for one in found.suspects]
    assert (planted / "correct" / "correct.jsonl").read_bytes() == journal  # nothing was heard twice


def test_interrupted_hearing_goes_on_and_a_corrected_text_is_judged_anew(planted, capsys):
    folder = planted.parent / "again"  # beside the recordings, which it names from where it lies
    shutil.copytree(planted, folder)
    before = {one.utterance.id: one.tuned.nats for one in correct("nano", folder).suspects}
    journal = folder / "correct" / "correct.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lost = json.loads(lines[-1])["id"]
    journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:30])  # killed within a line
    with corrected(folder) as desk:
        desk.save("u1", "corrected", SENTENCES[1])
    again = {one.utterance.id: one.tuned.nats for one in correct("nano", folder).suspects}
    assert again["u1"] < before["u1"] / 2
    assert again | {"u1": 0, lost: 0} == before | {"u1": 0, lost: 0}
    assert again[lost] == pytest.approx(before[lost], abs=1e-3)
    assert cli.run(["correct", "nano", "--corpus", str(folder), "--json", "--top", "3"]) == 0
    captured = capsys.readouterr()
    shown = [json.loads(line) for line in captured.out.splitlines()]
    assert len(shown) == 3 and "u1" not in {row["id"] for row in shown}
    assert [row["score"] for row in shown] == sorted((row["score"] for row in shown), reverse=True)
    assert "1 were heard by a person before" in captured.err
    assert cli.run(["correct", "nano", "--corpus", str(folder), "--split", "dev", "--list", "--top", "2"]) == 0
    assert capsys.readouterr().out.count("        why: ") == 2


def test_a_transcript_costs_what_training_would_say(planted, nano):
    """Summed over a batch, whatever stands beside it, against the loss that training takes."""
    utterances = Corpus.load(planted).utterances[:3]
    labels = [encode_labels(nano.tokenizer, u.text, utterance_id=u.id, language="fr") for u in utterances]
    sounds = [read_audio(u.recording, u.start, u.end) for u in utterances]
    together = likelihoods(nano.model, nano.tokenizer, sounds, labels)
    for one, sound, label in zip(together, sounds, labels, strict=True):
        loss = SummedLoss(nano.model)
        with torch.inference_mode():
            inputs, targets = torch.tensor([label.inputs]), torch.tensor([label.targets])
            window = Tensors(window_waves([sound]), inputs, targets, sound_frames=torch.tensor([3000]))
            expected = loss(loss.encode(window), inputs, targets)
        assert one.nats == pytest.approx(float(expected), rel=1e-3)
        assert one.n_tokens == label.n_scored
    assert together[1].worst in WRONG[1].split()


def test_what_no_model_can_hear_is_listed(folder):
    path = folder / "manifest.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[4] |= {"end": 40.0}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = correct("nano", folder)
    told = dict(found.not_heard)
    assert told["e"] == "it is 40.00 s long, Whisper hears 30 s"
    assert set(told) == {"a", "b", "c", "d", "e"}  # their recording is not there
    assert found.lines()[0] == "0 utterances heard" and len(found.lines()) == 6
    with pytest.raises(ParlureError, match="nano is not a run folder, and has no base to ask") as caught:
        correct("nano", folder, base=True)
    assert caught.value.hint == "leave out --base"
    with pytest.raises(ParlureError, match="has no dev utterances to hear"):
        path.write_text("".join(json.dumps(line) + "\n" for line in lines if line["split"] != "dev"))
        correct("nano", folder, split="dev")


# over HTTP
