"""The card of a run: true to the folder, nothing private, and what the Hub reads of it."""

import json

import pytest
from huggingface_hub import ModelCard

from parlure.errors import ParlureError
from parlure.recipe import dump_recipe, parse_recipe
from parlure.shipping.card import make_card, write_card

CORPUS = {
    "sources": [{"path": "/home/marie/secret/calls.csv"}],
    "licence": "cc-by-nc-sa-3.0",
    "split": {"method": "groups", "group_by": ["speaker", "session"]},
    "n_read": 12,
    "rejected": {"total": 2, "too_fast": 2},
    "hours": 100.0,
    "by_split": {
        "train": {"hours": 1.0, "utterances": 8, "speakers": 6},
        "dev": {"hours": 0.25, "utterances": 2, "speakers": 2},
    },
    "by_language": {"fr": {}},
    "by_speaker": {"Marie Tremblay": {}},
}
METRICS = [
    {"kind": "evaluation", "step": 0, "wer": 77.38, "n_utterances": 2, "profile": "fr"},
    {"kind": "step", "step": 1, "loss": 2.0},
    {"kind": "evaluation", "step": 5, "wer": 45.74, "n_utterances": 2, "profile": "fr"},
    {"kind": "evaluation", "step": 9, "wer": 50.0, "n_utterances": 2, "profile": "fr"},
]


@pytest.fixture
def run(tmp_path):
    """A run folder without weights in it."""
    folder = tmp_path / "run"
    (folder / "adapter").mkdir(parents=True)
    tree = {"data": {"corpus": "/home/marie/secret/corpus"}, "model": {"base": "openai/whisper-medium"}}
    (folder / "recipe.toml").write_text(dump_recipe(parse_recipe(tree, "test")), encoding="utf-8")
    (folder / "corpus.json").write_text(json.dumps(CORPUS), encoding="utf-8")
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in METRICS), encoding="utf-8")
    return folder


def report(folder, profiles):
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps({"profiles": profiles}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("adapter", "kept", "told"),
    [
        ({"method": "dora"}, "adapter", "DoRA, r = 32, alpha = 64, on q_proj, "),
        ({"method": "oft"}, "adapter", "OFT, blocks of 32, on q_proj, "),
        ({"method": "adalora", "bits": 4}, "adapter", "over weights in 4 bits, as which the base was scored on dev;"),
        ({"method": "dora"}, "model", "DoRA, r = 32, alpha = 64, on q_proj, "),
        ({"method": "full"}, "model", ": full fine-tuning; "),
    ],
)  # fmt: skip
def test_how_it_was_tuned_and_how_that_is_loaded(run, adapter, kept, told):
    tree = {"data": {"corpus": "c"}, "model": {"base": "openai/whisper-medium"}, "adapter": adapter}
    (run / "recipe.toml").write_text(dump_recipe(parse_recipe(tree, "test")), encoding="utf-8")
    (run / "adapter").rename(run / kept)
    card = make_card(run)
    assert told in card
    assert ("library_name: peft" in card, "PeftModel" in card, "RUN/model" in card) == (
        (True, True, False) if kept == "adapter" else (False, False, True)
    )
    assert "between base" not in card
    (run / "sweep.json").write_text('{"chosen": 0.5}')
    swept = "What lies here is between base (0) and tuned (1), at 0.5: the dev scores above are the tuned model's"
    assert swept in make_card(run)


def test_what_it_says(run):
    write_card(run)
    card = (run / "README.md").read_text(encoding="utf-8")
    for sentence in (
        "# whisper-medium, tuned on 1.0 hours of speech",
        "On the dev split (2 utterances, profile `fr`), by which the checkpoint was chosen, so that it flatters: "
        "WER 77.4 % → 45.7 % at step 5.",
        "Not measured on a test split",
        "LoRA, r = 32, alpha = 64, on q_proj, k_proj, v_proj, out_proj, fc1, fc2; learning rate 0.0001; 240 s of",
        "| train | 1.00 | 8 | 6 |",
        "No speaker and no session is in two splits. Of 12 rows 2 were rejected.",
        "The recordings are under cc-by-nc-sa-3.0: see whether it binds what is made from them.",
    ):
        assert sentence in card, sentence


def test_nothing_private_is_in_it(run):
    card = make_card(run)
    assert "marie" not in card.lower()
    assert "secret" not in card


def test_the_hub_reads_it(run):
    data = ModelCard(make_card(run)).data.to_dict()
    assert data["base_model"] == "openai/whisper-medium"
    assert data["license"] == "cc-by-nc-sa-3.0"
    assert (data["language"], data["library_name"]) == (["fr"], "peft")
    assert data["pipeline_tag"] == "automatic-speech-recognition"


def test_a_language_called_no_and_a_licence_with_a_colon(run):
    licence = "CC: see https://example.org, é"
    changed = CORPUS | {"by_language": {"no": {}, "fr": {}}, "licence": licence}
    (run / "corpus.json").write_text(json.dumps(changed), encoding="utf-8")
    data = ModelCard(make_card(run)).data.to_dict()
    assert (data["language"], data["license"]) == (["no", "fr"], licence)


def test_how_to_use_it(run):
    here, there = make_card(run), make_card(run, repo="marie/quebec")
    assert "parlure transcribe call.wav --format srt --model RUN\n" in here
    assert 'model = WhisperForConditionalGeneration.from_pretrained("openai/whisper-medium")' in here
    assert 'model = PeftModel.from_pretrained(model, "RUN/adapter")' in here
    assert (
        "hf download marie/quebec --local-dir quebec\nparlure transcribe call.wav --format srt --model quebec\n"
        in there
    )
    assert 'model = PeftModel.from_pretrained(model, "marie/quebec")' in there
    assert "RUN" not in there
    tree = {"data": {"corpus": "c"}, "model": {"base": "/home/marie/my-whisper"}}
    (run / "recipe.toml").write_text(dump_recipe(parse_recipe(tree, "test")), encoding="utf-8")
    card = make_card(run, repo="marie/quebec")
    assert 'from_pretrained("BASE")' in card and "BASE is a folder with the weights of `my-whisper`" in card
    assert "/home" not in card
    (run / "recipe.toml").write_text(dump_recipe(parse_recipe(tree | {"adapter": {"method": "full"}}, "test")))
    (run / "adapter").rename(run / "model")
    here, there = make_card(run), make_card(run, repo="marie/quebec")
    assert 'model = WhisperForConditionalGeneration.from_pretrained("RUN/model")' in here
    assert "parlure transcribe call.wav --format srt --model marie/quebec\n" in there
    assert 'model = WhisperForConditionalGeneration.from_pretrained("marie/quebec")' in there
    assert "peft" not in there.lower()


def test_scores_of_a_report(run, tmp_path):
    wer = {"S": 3, "D": 1, "I": 0, "N": 10, "rate": 40.0}
    comparison = {"difference": -12.34, "ci95": [-20.0, -4.5]}
    profiles = {
        "fr": {"base": {"wer": wer}, "tuned": {"wer": wer | {"rate": 27.66}}, "comparison": comparison},
        "raw": {"tuned": {"wer": wer | {"rate": None}}},
    }
    card = make_card(run, report(tmp_path / "report", profiles))
    assert "| `fr` | 40.0 % (S 3, D 1, I 0, N 10) | 27.7 % (S 3, D 1, I 0, N 10) | -12.3 | -20.0 to -4.5 |" in card
    assert "| `raw` |  |  |  |  |" in card
    assert "Not measured on a test split" not in card


def test_scores_through_a_telephone_channel_are_said_to_be(run, tmp_path):
    folder = report(tmp_path / "report", {})
    decode = {"condition": {"channel": "gsm > loss(rate=0.05)"}}
    content = {"profiles": {}, "systems": {"tuned": {"decode": decode}}}
    (folder / "report.json").write_text(json.dumps(content), encoding="utf-8")
    assert "On the test split, sent through `gsm > loss(rate=0.05)`:" in make_card(run, folder)


def test_full_fine_tuning_of_a_folder_without_a_licence(run, tmp_path):
    (tmp_path / "my-whisper").mkdir()
    base = str(tmp_path / "my-whisper")
    tree = {"data": {"corpus": "c"}, "model": {"base": base}, "adapter": {"method": "full"}}
    (run / "adapter").rename(run / "model")
    (run / "recipe.toml").write_text(dump_recipe(parse_recipe(tree, "test")), encoding="utf-8")
    splits = {"train": CORPUS["by_split"]["train"] | {"hours": 0.5}}
    (run / "corpus.json").write_text(json.dumps(CORPUS | {"licence": None, "by_split": splits}), encoding="utf-8")
    card = make_card(run)
    assert "# my-whisper, tuned on 30 minutes of speech" in card
    assert "With parlure from `my-whisper`: full fine-tuning" in card
    assert "The corpus does not say under which licence its recordings are" in card
    assert str(tmp_path) not in card
    assert not {"base_model", "license", "library_name"} & ModelCard(card).data.to_dict().keys()


def test_refusals(run, tmp_path):
    with pytest.raises(ParlureError, match="is not a report folder") as caught:
        make_card(run, tmp_path)
    assert caught.value.hint == "parlure evaluate CORPUS --model RUN --out REPORT"
    with pytest.raises(ParlureError, match="is not a run with an adapter or a model") as caught:
        make_card(tmp_path)
    assert caught.value.hint == "parlure train RECIPE --out RUN makes one"
