"""What is pushed, and what stands against it. Nothing here speaks with the Hub: a stand-in on this machine answers."""

import json

import pytest
from hub_stand_in import stand_in
from huggingface_hub import ModelCard, constants
from scored import report_of, rows_of
from test_card import CORPUS, METRICS, run  # noqa: F401  a fixture
from test_publish import ready  # noqa: F401  a fixture
from tuned_runs import tuned_run

from parlure import cli
from parlure.errors import ParlureError
from parlure.scoring.report import write_report
from parlure.shipping.licences import LICENCES, conflicts, conflicts_of_data, hub_name
from parlure.shipping.publish import planned, publish


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with stand_in() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)  # HF_ENDPOINT is read when it is imported
        yield server


def test_all_in_one_commit(ready, hub, capsys):  # noqa: F811
    with planned(ready, "marie/quebec") as publication:
        wanted = publication.files
    command = ["publish", str(ready), "--repo", "marie/quebec", "--private"]
    assert cli.run([*command, "--dry-run"]) == 0
    assert hub.tokens == set()  # a dry run asks nobody
    assert cli.run(command) == 0
    card, said = capsys.readouterr()
    assert "published: " in said and "/marie/quebec/commit/abc" in said
    assert "hf_secret" not in card + said
    held = hub.repos["models/marie/quebec"]
    assert {path: len(content) for path, content in held.items() if path != ".gitattributes"} == wanted
    assert (hub.private["models/marie/quebec"], hub.commits) == (True, 1)
    assert cli.run(command) == 0  # again: the same files in a second commit
    hub.repos["models/marie/quebec"]["model.safetensors"] = b"another model"
    assert cli.run(command) == 2
    said = capsys.readouterr().err
    assert "error: marie/quebec holds other files, which would lie beside the new ones: model.safetensors\n" in said
    assert "hint: name a new repository, or delete them there\n" in said
    assert hub.commits == 2


REFUSED = (
    "this token may not write to m/q: it is somebody else's, or the token only reads",
    "name a repository of your own, or take a token that may write",
)
UNREACHED = (
    "cannot be reached, or the line broke, and nothing was published",
    "see whether the network is there; the same command tries again",
)


@pytest.mark.parametrize(
    ("fail", "message", "hint"),
    [
        (
            {("POST", "create"): 401},
            "the Hugging Face Hub does not take the token",
            "hf auth login makes a new one; a variable HF_TOKEN goes before it",
        ),
        ({("POST", "create"): 403}, *REFUSED),
        ({("POST", "commit"): 403}, *REFUSED),
        (
            {("POST", "commit"): 400},
            "the Hugging Face Hub answered 400 and took nothing",
            "the same command tries again",
        ),
        ({("POST", "commit"): "cut"}, *UNREACHED),
        ({("GET", "/api/"): "cut"}, *UNREACHED),
    ],
)
def test_what_fails_has_published_nothing(ready, hub, fail, message, hint):  # noqa: F811
    hub.fail = fail
    with pytest.raises(ParlureError) as caught:
        publish(ready, "m/q")
    assert caught.value.message.endswith(message)
    assert caught.value.hint.startswith(hint)
    assert "hf_secret" not in caught.value.message + caught.value.hint
    assert hub.commits == 0
    if ("POST", "commit") in fail and fail[("POST", "commit")] != 403:
        assert caught.value.hint.endswith("; m/q may have been made, and is empty")


def test_without_a_token(ready, hub, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(ParlureError, match="there is no token of the Hugging Face Hub here") as caught:
        publish(ready, "m/q")
    assert caught.value.hint.startswith("hf auth login, or set HF_TOKEN to a token that may write")
    assert hub.tokens == set()


def names(found):
    return [one.name for one in found]


@pytest.mark.parametrize(
    ("data", "model", "expected"),
    [
        ("cc-by-4.0", "apache-2.0", []),
        ("cc-by-nc-sa-3.0", "cc-by-nc-sa-3.0", []),
        ("cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", []),  # a later version
        ("cc-by-nc-sa-4.0", "cc-by-nc-sa-3.0", ["share-alike"]),
        ("CC BY-NC-SA 4.0", "mit", ["non-commercial", "share-alike"]),
        ("cc-by-nc-4.0", "cc-by-nc-sa-4.0", []),
        ("cc-by-nd-4.0", "cc-by-nd-4.0", ["no-derivatives"]),
        ("cc-by-4.0, cc-by-sa-4.0", "mit", ["share-alike"]),
        (None, "mit", ["no-data-licence"]),
        (None, None, ["no-model-licence", "no-data-licence"]),
        ("our-own", "mit", ["unknown-licence"]),
        ("mit", "our-own", ["unknown-licence"]),
    ],
)
def test_licences_that_conflict(data, model, expected):
    assert names(conflicts(data, model, "openai/whisper-medium")) == expected
    assert names(conflicts(data, model, "marie/whisper")) == [*expected, "unknown-base"]


def test_every_licence_is_called_as_the_hub_does():
    assert all(hub_name(name) == name for name in LICENCES)
    assert names(conflicts_of_data("cc-by-nc-nd-4.0")) == ["no-derivatives"]
    assert names(conflicts_of_data("cc-by-nc-sa-4.0")) == []


def test_a_conflict_is_settled_by_a_licence_or_by_its_name(ready, hub, capsys):  # noqa: F811
    command = ["publish", str(ready), "--repo", "m/q", "--licence", "mit"]
    assert cli.run(command) == 2
    said = capsys.readouterr().err
    assert said.startswith("conflict non-commercial: the recordings are under cc-by-nc-sa-3.0, and mit lets anybody")
    assert "error: nothing is published yet: the recordings are under cc-by-nc-sa-3.0" in said
    settled = "another --licence may settle it, or if you may publish it all the same, say so: "
    assert f"hint: {settled}--accept non-commercial --accept share-alike\n" in said
    assert hub.tokens == set()
    assert cli.run([*command, "--accept", "non-commercial"]) == 2
    assert cli.run([*command, "--accept", "non-commercial", "--accept", "share-alike"]) == 0
    assert ModelCard(hub.repos["models/m/q"]["README.md"].decode()).data.license == "mit"
    assert cli.run(["publish", str(ready), "--repo", "m/q2", "--accept", "typo"]) == 2
    assert "error: there is no conflict typo to accept\nhint: leave it out\n" in capsys.readouterr().err
    assert cli.run(["publish", str(ready), "--repo", "m/q2", "--licence", "CC BY NC SA 4.0"]) == 0


def test_what_machines_read_of_the_card(ready, tmp_path):  # noqa: F811
    write_report(tmp_path / "report", *report_of(rows_of(12)))
    content = json.loads((tmp_path / "report" / "report.json").read_text())
    with planned(ready, "marie/quebec", tmp_path / "report") as publication:
        card = ModelCard(publication.card)
    results = {one.metric_args["normalizer"]: one for one in card.data.eval_results}
    assert results.keys() == content["profiles"].keys()
    wer = content["profiles"]["fr"]["tuned"]["wer"]
    fr = results["fr"]
    assert (fr.metric_type, fr.metric_value, fr.dataset_split) == ("wer", round(wer["rate"], 2), "test")
    assert {key: fr.metric_args[key] for key in "SDIN"} == {key: wer[key] for key in "SDIN"}
    interval = content["skills"]["transcription.fr"]["tuned"]["ci95"]
    assert fr.metric_args["ci95"] == [round(end, 2) for end in interval]
    assert "ci95" not in results["raw"].metric_args  # the report has none for it
    assert fr.metric_args["decoding"] == {"beam_size": 5}
    assert fr.dataset_name == "recordings that are not on the Hub"
    assert card.data.model_name == "quebec"
    value = content["skills"]["transcription.fr"]["tuned"]["value"]
    assert "| transcription.fr | " in card.text and f" | {value:.1f} [" in card.text
    assert "/home/" not in str(card)


def test_a_merged_model_is_the_tuned_one(tmp_path, hub, clips):
    from parlure.transcribing.decode import DecodingOptions
    from parlure.transcribing.engines.choice import open_engine

    tuned_run(tmp_path / "run")
    (tmp_path / "run" / "corpus.json").write_text(json.dumps(CORPUS))
    (tmp_path / "run" / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in METRICS))
    publish(tmp_path / "run", "marie/whole", merged=True)
    held = hub.repos["models/marie/whole"]
    whole = tmp_path / "whole"
    whole.mkdir()
    for path, content in held.items():
        (whole / path).write_bytes(content)
    assert {
        "model.safetensors",
        "config.json",
        "tokenizer.json",
        "preprocessor_config.json",
        "README.md",
    } <= held.keys()
    card = held["README.md"].decode()
    assert 'from_pretrained("marie/whole")' in card and "PeftModel" not in card and "library_name: peft" not in card
    options = DecodingOptions(language="fr", max_new_tokens=20)
    texts = [[h.tokens for h in open_engine(str(one)).decode(clips[:3], options)] for one in (whole, tmp_path / "run")]
    assert texts[0] == texts[1]


def test_a_corpus_becomes_a_data_set(corpus_folder, tmp_path, hub, capsys):
    pyarrow = pytest.importorskip("pyarrow.parquet")
    command = ["publish", str(corpus_folder), "--repo", "marie/calls"]
    assert cli.run(command) == 2
    said = capsys.readouterr().err
    assert "the corpus does not say under which licence its recordings are" in said
    assert cli.run([*command, "--licence", "cc-by-4.0"]) == 0
    out, said = capsys.readouterr()
    assert "https://huggingface.co/datasets/marie/calls would hold " in said
    assert "warning: recordings are voices of people, and speakers are named as in the corpus" in said
    held = hub.repos["datasets/marie/calls"]
    assert held["README.md"].decode() == out
    assert ModelCard(out).data.license == "cc-by-4.0" and "| train | " in out
    (tmp_path / "shard").write_bytes(held["data/train-00000-of-00001.parquet"])
    rows = pyarrow.read_table(tmp_path / "shard").to_pylist()
    lines = (corpus_folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    train = [row for row in map(json.loads, lines) if row["split"] == "train"]
    assert sorted(row["text"] for row in rows) == sorted(row["text"] for row in train)
    assert cli.run([*command, "--merged"]) == 2
    said = capsys.readouterr().err
    assert "is a corpus: --merged and --report are for a run\nhint: leave them out\n" in said


def test_numbers_of_people_are_named_first(corpus_folder, tmp_path, hub, capsys):
    import shutil

    folder = tmp_path / "corpus"
    shutil.copytree(corpus_folder, folder)
    manifest = folder / "manifest.jsonl"
    first, *rest = manifest.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in (first, *rest)]
    row = rows[0]
    row["text"] = "écrivez à jean.dupont@example.com ou au 514 555-0199"
    for one in rows:
        one["recording"] = str((corpus_folder / one["recording"]).resolve())
    manifest.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    command = ["publish", str(folder), "--repo", "marie/calls", "--licence", "cc-by-4.0"]
    assert cli.run(command) == 2
    said = capsys.readouterr().err
    assert said.startswith("conflict personal-data: the texts hold numbers or addresses of people (")
    assert row["id"] in said.splitlines()[0] and "1 email" in said.splitlines()[0]
    assert hub.commits == 0
    assert cli.run([*command, "--accept", "personal-data"]) == 0
