"""``parlure correct``: what is suspected, what is saved and taken back, over HTTP and from files."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from made_corpora import ids, make_corpus, said

from parlure import cli
from parlure.corpus.correcting.answers import CorrectingAnswers
from parlure.corpus.correcting.desk import corrected
from parlure.corpus.correcting.listed import apply_corrections
from parlure.corpus.correcting.ranking import Hearing, Suspect, ranked
from parlure.corpus.editing.filtering import filter_corpus
from parlure.corpus.explore.server import CorpusServer
from parlure.corpus.manifest import Corpus, Segment
from parlure.corpus.prepare import prepare
from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, read_audio, write_audio
from parlure.speech.synth import Voice, synthesize
from parlure.training.trainee import SummedLoss
from parlure.transcribing.correct import corpus_of, correct
from parlure.transcribing.decode import window_waves
from parlure.transcribing.likelihood import likelihoods
from parlure.whisper.prompt import encode_labels

FORMS = (
    'a line is {"id": …, "text": …}, or {"id": …, "action": "confirmed"}; '
    "actions are corrected, silent, confirmed, rejected"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five utterances: one of test, one with phrases, one that is a draft."""
    phrases = (Segment(0.0, 0.8, "oui bonjour"), Segment(1.0, 1.8, "le chat dort"))
    return make_corpus(
        tmp_path / "calls",
        said("a", "oui bonjour le chat dort", end=2.0, segments=phrases),
        said("b", "il neige encore", end=2.0, tags=("draft", "age=old")),
        said("c", "merci beaucoup", end=1.0, split="test", recording="/calls/one.wav"),
        said("d", "à demain", end=1.0, recording="/calls/one.wav", prompt="il a dit merci beaucoup", split="dev"),
        said("e", "au revoir", end=3.0),
    )


def rows(folder: Path) -> dict[str, dict]:
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


def history(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "corrections.jsonl").read_text(encoding="utf-8").splitlines()]


def files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("manifest.jsonl", "rejected.jsonl")}


def test_a_correction_is_in_the_manifest_the_history_and_corpus_json(folder):
    before = files(folder)["manifest.jsonl"].splitlines()
    with corrected(folder, "anne") as desk:
        saved = desk.save("b", "corrected", " il neige\nencore un peu ", "heard it")
    assert saved.sentences() == []
    after = files(folder)["manifest.jsonl"].splitlines()
    assert [i for i, (one, other) in enumerate(zip(before, after, strict=True)) if one != other] == [1]
    assert rows(folder)["b"]["text"] == "il neige encore un peu"
    assert rows(folder)["b"]["tags"] == ["age=old"]  # a person has heard it: no draft any more
    (line,) = history(folder)
    assert (line["who"], line["id"], line["action"], line["reason"]) == ("anne", "b", "corrected", "heard it")
    assert line["before"] == {"text": "il neige encore", "segments": None, "tags": ["draft", "age=old"]}
    assert line["after"] == {"text": "il neige encore un peu", "segments": None, "tags": ["age=old"]}
    assert line["when"].endswith("+00:00")
    info = Corpus.load(folder).info
    assert info["corrections"] == {
        "history": "corrections.jsonl", "lines": 1, "corrected": {"train": 1, "dev": 0, "test": 0},
        "confirmed": {"train": 0, "dev": 0, "test": 0}, "rejected": {"train": 0, "dev": 0, "test": 0},
        "manifest_sha256": hashlib.sha256((folder / "manifest.jsonl").read_bytes()).hexdigest(),
    }  # fmt: skip


def test_phrase_times_stay_with_a_change_inside_one_phrase_and_go_with_a_wider_one(folder):
    with corrected(folder) as desk:
        kept = desk.save("a", "corrected", "oui bonjour le gros chat dort")
        assert kept.sentences() == ["its phrase times were kept"]
        assert rows(folder)["a"]["segments"] == [[0.0, 0.8, "oui bonjour"], [1.0, 1.8, "le gros chat dort"]]
        assert rows(folder)["a"]["text"] == "oui bonjour le gros chat dort"
        dropped = desk.save("a", "corrected", "non bonsoir le chien dort")
        assert dropped.sentences() == ["its phrase times were dropped: the change reaches over more than one phrase"]
        assert rows(folder)["a"]["segments"] is None
        desk.undo("a")
        assert rows(folder)["a"]["segments"][1][2] == "le gros chat dort"


@pytest.mark.parametrize("text", ["le chat dort", "oui bonjour", "dort"])
def test_an_emptied_phrase_has_no_time_to_keep(folder, text):
    with corrected(folder) as desk:
        assert desk.save("a", "corrected", text).times == "dropped"
    assert rows(folder)["a"]["segments"] is None


def test_a_test_utterance_and_stale_prompts_are_said(folder):
    with corrected(folder) as desk:
        assert desk.save("c", "confirmed").sentences() == []
        assert desk.save("c", "corrected", "merci bien").sentences() == [
            "1 following utterance still has the old text as its prompt",
            "this is a test utterance: scores from before and after are not of the same test",
        ]
        assert desk.counts()["corrected"] == {"train": 0, "dev": 0, "test": 1}


def test_what_is_rejected_is_listed_and_everything_can_be_taken_back(folder):
    before, hours = files(folder), Corpus.load(folder).info.get("hours")
    with corrected(folder) as desk:
        desk.save("b", "rejected", reason="two people at once")
        assert [one.id for one in Corpus.load(folder).utterances] == ["a", "c", "d", "e"]
        (row,) = [json.loads(line) for line in files(folder)["rejected.jsonl"].splitlines()]
        assert (row["reason"], row["sentence"], row["line"], row["row"]["id"]) == (
            "listened",
            "two people at once",
            2,
            "b",
        )
        info = Corpus.load(folder).info
        assert info["n_utterances"] == 4 and info["hours"] == pytest.approx(7 / 3600, abs=1e-6)
        desk.save("e", "silent")
        desk.save("c", "confirmed")
        assert rows(folder)["e"]["text"] == ""
        assert [desk.undo().correction.undoes for _ in range(3)] == [3, 2, 1]
        assert files(folder) == before
        with pytest.raises(ParlureError) as caught:
            desk.undo()
    assert caught.value.message == "there is nothing to undo"
    assert caught.value.hint == "corrections.jsonl has every correction that was made"
    assert len(history(folder)) == 6  # nothing is ever taken out of it
    assert hours is None or Corpus.load(folder).info["hours"] == pytest.approx(hours)


@pytest.mark.parametrize("cut", ["before the manifest", "before rejected.jsonl", "before corpus.json", "within a line"])
def test_what_a_crash_left_undone_is_done_when_it_is_opened(folder, tmp_path, cut):
    before = tmp_path / "before"
    with corrected(folder) as desk:
        desk.save("c", "confirmed")
    shutil.copytree(folder, before)
    with corrected(folder) as desk:
        desk.save("b", "rejected")
    whole = {name: (folder / name).read_bytes() for name in ("manifest.jsonl", "rejected.jsonl", "corpus.json")}
    order = ["manifest.jsonl", "rejected.jsonl", "corpus.json"]
    lost = order[{"before rejected.jsonl": 1, "before corpus.json": 2}.get(cut, 0) :]
    for name in lost:
        shutil.copy(before / name, folder / name)
    if cut == "within a line":  # then it was never said
        path = folder / "corrections.jsonl"
        path.write_bytes(path.read_bytes()[:-20])
        with corrected(folder) as desk:
            assert (len(desk.history.lines), desk.notes) == (1, [])
            desk.save("b", "rejected")
        assert Corpus.load(folder).info["corrections"]["rejected"]["train"] == 1
        return
    with corrected(folder) as desk:
        assert len(desk.notes) == (cut == "before the manifest")
    assert {name: (folder / name).read_bytes() for name in order} == whole


def test_a_corpus_prepared_anew_gets_its_corrections_back(folder, tmp_path):
    original = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with corrected(folder) as desk:
        desk.save("a", "corrected", "oui bonsoir")
        desk.save("b", "rejected")
        desk.save("e", "corrected", "au plaisir")
    for name, content in original.items():
        (folder / name).write_bytes(content.replace(b"au revoir", b"adieu"))
    with corrected(folder) as desk:
        assert desk.notes == [
            "2 corrections of corrections.jsonl were not in the manifest and put back",
            "1 correction of corrections.jsonl does not fit the manifest any more and had no effect: e",
        ]
    assert (
        rows(folder)["a"]["text"] == "oui bonsoir" and rows(folder)["e"]["text"] == "adieu" and "b" not in rows(folder)
    )


def test_prepare_and_later_edits_know_of_corrections(calls, tmp_path):
    folder = tmp_path / "corpus"
    prepare([calls], folder)
    first = ids(folder)[0]
    with corrected(folder) as desk:
        desk.save(first, "corrected", "bonsoir")
    filter_corpus(folder, tmp_path / "part", keep="duration_s > 0")
    (one,) = Corpus.load(tmp_path / "part").info["edit"]["inputs"]
    assert one["corrections"] == Corpus.load(folder).info["corrections"]
    assert one["manifest_sha256"] == one["corrections"]["manifest_sha256"]
    warning = "1 correction made by ear is in corrections.jsonl and not in this corpus: parlure correct puts it back"
    assert warning in prepare([calls], folder).warnings
    assert rows(folder)[first]["text"] != "bonsoir"
    with corrected(folder) as desk:
        assert rows(folder)[first]["text"] == "bonsoir" and len(desk.notes) == 1


def test_one_process_at_a_time(folder):
    with corrected(folder), pytest.raises(ParlureError, match="another process is writing"), corrected(folder):
        pass


def test_what_cannot_be_said_is_refused(folder, tmp_path):
    with corrected(folder) as desk:
        for arguments, message, hint in (
            (("z", "confirmed"), "the corpus has no utterance z", "ids stand in manifest.jsonl"),
            (("a", "praised"), "there is no action 'praised'", "actions are corrected, silent, confirmed, rejected"),
            (("a", "corrected", " \n"), "the corrected text of a is empty",
             "say silent where nobody speaks, or reject the utterance"),
        ):  # fmt: skip
            with pytest.raises(ParlureError) as caught:
                desk.save(*arguments)
            assert (caught.value.message, caught.value.hint) == (message, hint)
    assert not (folder / "corrections.jsonl").exists()
    (folder / "corrections.jsonl").write_text('{"id": "a"}\n')
    with pytest.raises(ParlureError, match="holds a line that is no correction") as caught, corrected(folder):
        pass
    assert caught.value.hint == "parlure correct writes this file: move it away, and keep it"


def test_a_file_of_corrections(folder, tmp_path):
    path = tmp_path / "done.jsonl"
    lines = [
        {"id": "a", "text": "oui"},
        {"id": "b", "action": "confirmed"},
        {"id": "c", "action": "rejected", "reason": "noise"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with corrected(folder) as desk:
        applied = apply_corrections(desk, path)
        assert applied.lines() == [
            "1 corrected, 1 confirmed, 1 rejected",
            "1 times: its phrase times were dropped: the change reaches over more than one phrase",
            "1 times: 1 following utterance still has the old text as its prompt",
            "1 times: this is a test utterance: scores from before and after are not of the same test",
        ]
    assert rows(folder)["a"]["text"] == "oui" and "c" not in rows(folder)
    assert [line["reason"] for line in history(folder)] == ["applied from done.jsonl"] * 2 + ["noise"]
    table = tmp_path / "done.csv"
    table.write_text('id,text\na,"oui"\nd,"à lundi, donc"\n', encoding="utf-8-sig")
    assert cli.run(["correct", "nano", "--corpus", str(folder), "--apply", str(table)]) == 0
    assert rows(folder)["d"]["text"] == "à lundi, donc" and len(history(folder)) == 4
    assert cli.run(["correct", "nano", "--corpus", str(folder), "--undo"]) == 0
    assert rows(folder)["d"]["text"] == "à demain"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": "a", "text": "oui"}\n{"id": "z", "text": "non"}\n', "line 2: the corpus has no utterance z"),
        ('{"id": "a", "words": "oui"}\n', "line 1 is no correction"),
        ("oui\n", "line 1 is no correction"),
    ],
)
def test_a_file_with_a_bad_line_changes_nothing(folder, tmp_path, content, message):
    path = tmp_path / "done.jsonl"
    path.write_text(content)
    with corrected(folder) as desk, pytest.raises(ParlureError, match=message) as caught:
        apply_corrections(desk, path)
    assert caught.value.hint in (FORMS, "ids stand in manifest.jsonl")
    assert not (folder / "corrections.jsonl").exists()


def test_no_such_file_and_two_things_at_once(folder, tmp_path, capsys):
    options = ["correct", "nano", "--corpus", str(folder), "--apply", str(tmp_path / "none.jsonl")]
    assert cli.run(options) == 2
    assert (
        f"error: there is no file {tmp_path / 'none.jsonl'} of corrections\nhint: {FORMS}\n" in capsys.readouterr().err
    )
    assert cli.run([*options, "--undo"]) == 2
    assert capsys.readouterr().err == "error: --apply and --undo are two things\nhint: give one of them\n"


def test_a_run_says_what_it_was_tuned_on(folder, tmp_path):
    with pytest.raises(ParlureError, match="nano is not a run folder and does not say what it was tuned on") as caught:
        corpus_of("nano")
    assert caught.value.hint == "name it: --corpus CORPUS"
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.toml").write_text(f'[data]\ncorpus = "{folder}"\n')
    assert corpus_of(run) == folder
    (run / "recipe.toml").write_text('[data]\ncorpus = "/gone"\n')
    with pytest.raises(ParlureError, match=f"the corpus /gone that {run} was tuned on is not there"):
        corpus_of(run)


# what is suspected


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
    for place, sentence in enumerate(SENTENCES):
        samples = 0.5 * synthesize(sentence, Voice("fr+belinda", 160))
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
            encoded = loss.encode(window_waves([sound]))
            expected = loss(encoded, torch.tensor([label.inputs]), torch.tensor([label.targets]))
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


@contextmanager
def serving(desk, suspects):
    with CorpusServer(CorrectingAnswers(desk, suspects), "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def talk(server, path, given=None, *, token=None, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    content = body if body is not None else None if given is None else json.dumps(given)
    sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(
        "GET" if content is None else "POST", f"/{server.token if token is None else token}/{path}", content, sent
    )
    answer = connection.getresponse()
    read = answer.read()
    connection.close()
    return answer.status, json.loads(read) if answer.headers.get_content_type() == "application/json" else read


@pytest.fixture
def server(folder):
    heard = {"a": hearing("oui bonjour"), "b": hearing("il neige encore"), "c": hearing("merci", 4.0)}
    with corrected(folder, "anne") as desk, serving(desk, ranked(Corpus.load(folder).utterances, heard)) as running:
        yield running


def test_the_page_lists_saves_and_takes_back(server, folder):
    status, page = talk(server, "")
    assert status == 200 and b"parlure correct" in page and b"innerHTML" not in page and b"://" not in page
    listed = talk(server, "suspects")[1]
    assert [row["id"] for row in listed["rows"]] == ["c", "a", "b"]
    assert listed["rows"][0]["differences"] == [["equal", "merci", "merci"], ["delete", "beaucoup", None]]
    assert [row["id"] for row in talk(server, "suspects?split=test")[1]["rows"]] == ["c"]
    status, saved = talk(server, "save", {"id": "c", "action": "corrected", "text": "merci"})
    assert (status, saved["row"]["text"], saved["row"]["done"]) == (200, "merci", "corrected")
    assert saved["said"][-1] == "this is a test utterance: scores from before and after are not of the same test"
    assert saved["counts"]["corrected"]["test"] == 1
    assert rows(folder)["c"]["text"] == "merci"  # before the page is closed
    assert history(folder)[0]["reason"].startswith("the model finds the transcript improbable: mean of a token 0.02")
    assert [row["id"] for row in talk(server, "suspects?open=1")[1]["rows"]] == ["a", "b"]
    assert talk(server, "save", {"id": "a", "action": "rejected"})[1]["row"]["done"] == "rejected"
    assert (
        talk(server, "undo", {})[1]["row"] | {"done": None, "text": "oui bonjour le chat dort"}
        == (talk(server, "suspects")[1]["rows"][1])
    )
    overview = talk(server, "overview")[1]
    assert (overview["who"], overview["suspects"], overview["counts"]["rejected"]["train"]) == ("anne", 3, 0)
    assert len(history(folder)) == 3


def test_what_is_wrong_is_said_and_changes_nothing(server, folder):
    before = files(folder)
    assert talk(server, "save", {"id": "c", "action": "corrected", "text": " "}) == (
        409, {"message": "the corrected text of c is empty",
              "hint": "say silent where nobody speaks, or reject the utterance"},
    )  # fmt: skip
    assert talk(server, "save", {"id": "../x", "action": "confirmed"})[0] == 409
    assert talk(server, "save", {"id": 3})[0] == 400
    assert talk(server, "manifest", {"id": "c"})[0] == 404
    assert talk(server, "undo", {})[0] == 409
    assert talk(server, "audio?id=z")[0] == 404
    assert talk(server, "audio?id=a")[0] == 422  # its recording is not there
    assert files(folder) == before and not (folder / "corrections.jsonl").exists()


def test_a_page_from_elsewhere_can_write_nothing(server, folder):
    before = files(folder)
    given = {"id": "c", "action": "rejected"}
    assert talk(server, "save", given, token="x")[0] == 403
    assert talk(server, "save", given, Host="evil.example") == (403, b"this host name is not this machine's\n")
    assert talk(server, "save", given, Origin="http://evil.example") == (403, b"this page came from elsewhere\n")
    assert talk(server, "save", given, Content_Type="text/plain")[0] == 415
    assert talk(server, "save", body="[1]")[0] == talk(server, "save", body="{")[0] == 400
    assert talk(server, "save", body="", Content_Length=str(1 << 21))[0] == 413  # before anything of it is read
    assert files(folder) == before
    port = server.server_address[1]
    assert talk(server, "save", given, Host=f"127.0.0.1:{port}", Origin=f"http://127.0.0.1:{port}")[0] == 200


def test_the_command_serves_until_it_is_interrupted(folder, tmp_path, capsys, monkeypatch):
    def save_one(self):
        assert self.answers.accept("save", {"id": "a", "action": "corrected", "text": "oui"}).status == 200
        raise KeyboardInterrupt

    monkeypatch.setattr(CorpusServer, "serve_forever", save_one)
    options = ["correct", "nano", "--corpus", str(folder), "--no-browser", "--host", "0.0.0.0", "--who", "anne"]
    assert cli.run(options) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("http://")
    assert "0.0.0.0 can be reached from other machines: whoever has the address can change the corpus" in captured.err
    assert f"closed; 1 line was added to {folder / 'corrections.jsonl'}" in captured.err
    assert history(folder)[0]["who"] == "anne"
