"""``parlure correct``: what is suspected, what is saved and taken back, over HTTP and from files."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from made_corpora import five_utterances, ids

from parlure import cli
from parlure.corpus.correcting.desk import corrected
from parlure.corpus.correcting.listed import apply_corrections
from parlure.corpus.editing.filtering import filter_corpus
from parlure.corpus.manifest import Corpus
from parlure.corpus.prepare import prepare
from parlure.errors import ParlureError
from parlure.transcribing.correct import corpus_of

FORMS = (
    'a line is {"id": …, "text": …}, or {"id": …, "action": "confirmed"}; '
    "actions are corrected, silent, confirmed, rejected"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return five_utterances(tmp_path)


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
