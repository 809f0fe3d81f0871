"""Controls on a report: they pass where all is well, and fail where it is not."""

import json
from types import SimpleNamespace

import pytest

from parlure.corpus.manifest import Corpus
from parlure.scoring.report import build_report, write_report
from parlure.scoring.skills import sanity
from parlure.scoring.skills.sanity import Control, check_sanity
from parlure.scoring.utterances import score_utterances
from parlure.whisper.adapters import Adapters, attach, save_adapter, scaled_saved
from parlure.whisper.load import NANO, load_base

TEXTS = ["le chat dort", "il fait très beau", "on se rappelle demain", "c'est correct", "bonjour madame tremblay"]


def report_in(folder, heard):
    """A report of ten speakers in a folder; ``heard``: reference → hypothesis."""
    rows = [
        {"id": f"u{n}", "speaker": f"s{n}", "session": None, "duration_s": 2.0, "language": "fr", "task": "transcribe",
         "reference": TEXTS[n % 5], "hypotheses": {"tuned": heard(TEXTS[n % 5])}} for n in range(10)
    ]  # fmt: skip
    scored = score_utterances(rows, ["raw", "fr"])
    report = build_report(scored, {"tuned": {"model": "nano", "hash": "", "decode": {}}}, "fr")
    write_report(folder, scored, report)
    return folder


@pytest.fixture
def checked(corpus, monkeypatch):
    """The controls of a report by name, on nano: it has no adapter."""
    monkeypatch.setattr(Corpus, "load", lambda folder: corpus)
    return lambda report: {one.name: one for one in check_sanity(report, report, "nano")}


def test_a_good_report_passes(checked, tmp_path):
    found = checked(report_in(tmp_path, lambda text: text))
    assert found["shuffled references"].passed is True
    assert found["shuffled references"].detail.startswith("WER 0.0 %, and ")
    assert found["scored again from disk"] == Control("scored again from disk", True, "10 utterances, 1 skills: equal")
    assert found["adapter at scale 0"] == Control("adapter at scale 0", None, "nano has no adapter")
    assert [row["passed"] for row in json.loads((tmp_path / "sanity.json").read_text())] == [True, True, None]
    assert found["adapter at scale 0"].line() == "not made  adapter at scale 0        nano has no adapter"


def test_who_always_says_the_same_fails_the_shuffle(checked, tmp_path):
    found = checked(report_in(tmp_path, lambda text: "bonjour"))["shuffled references"]
    assert found.passed is False
    assert found.line().startswith("FAILED  ")


def test_a_shuffle_takes_several_references(checked, tmp_path):
    folder = report_in(tmp_path, lambda text: text)
    rows = [json.loads(line) | {"reference": "oui"} for line in (folder / "utterances.jsonl").read_text().splitlines()]
    (folder / "utterances.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert sanity._shuffled(folder).passed is None


@pytest.mark.parametrize(
    ("file", "before", "after", "detail"),
    [
        ("report.json", '"D": 0', '"D": 1', "differing: /profiles/raw/tuned/wer/D"),
        ("utterances.jsonl", '"tuned": "le chat dort"', '"tuned": "le chat mort"', "1 utterances counted otherwise"),
    ],
)
def test_an_edited_report_fails(checked, tmp_path, file, before, after, detail):
    path = report_in(tmp_path, lambda text: text) / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    found = checked(tmp_path)["scored again from disk"]
    assert found.passed is False
    assert detail in found.detail


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """An adapter on nano that changes what it hears."""
    import torch

    folder = tmp_path_factory.mktemp("run") / "adapter"
    torch.manual_seed(0)  # of LoRA's A: some draws change too little to be heard
    adapted = attach(load_base(str(NANO)), Adapters(4, 8.0, targets=["fc1"]), "nano")
    with torch.no_grad():
        for name, weights in adapted.named_parameters():
            if "lora_B" in name:
                weights.normal_(0, 0.5, generator=torch.Generator().manual_seed(1))
    save_adapter(adapted, folder)
    return folder


def test_an_adapter_switched_off_is_the_base(corpus, adapter, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: corpus)
    monkeypatch.setattr(sanity, "N_DECODED", 1)
    found = sanity._adapter_off(adapter, str(adapter.parent), "test")
    assert found.passed is True
    assert found.detail.startswith("1 utterances, ")
    # an adapter that cannot be switched off is found out
    monkeypatch.setattr(sanity, "scaled_saved", lambda model, folder, factor: scaled_saved(model, folder, 1.0))
    assert sanity._adapter_off(adapter, str(adapter.parent), "test").passed is False


def test_nobody_speaks(corpus, adapter, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: SimpleNamespace(select=lambda split: ()))
    assert sanity._adapter_off(adapter, str(adapter.parent), "test").detail == "nobody speaks in the split"
