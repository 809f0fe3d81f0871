"""Scoring from Python: what jiwer gives, what a trainer of transformers asks for, and an import that costs nothing."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import jiwer
import numpy as np
import pytest
import torch

import parlure
from parlure import ParlureError
from parlure.scoring.align import Op
from parlure.scoring.normalize import PROFILES
from parlure.scoring.rates import Counts

REFERENCES = ["oui , c'est bon .", "il arrive à 14h30", ""]
HYPOTHESES = ["Oui, c'est bon.", "il arrive à quatorze heures trente", "merci"]


def test_importing_parlure_costs_nothing():
    code = (
        "import sys; before = set(sys.modules); import parlure; new = set(sys.modules) - before\n"
        "assert {name for name in new if name.startswith('parlure')} == {'parlure'}, new\n"
        "assert 'wer' in dir(parlure) and parlure.wer('a b', 'a c') == 0.5\n"
        "heavy = {'torch', 'transformers', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="module 'parlure' has no attribute 'were'"):
        _ = parlure.were
    assert set(parlure.__all__) <= set(dir(parlure))
    assert all(getattr(parlure, name) for name in parlure.__all__)


def test_the_default_is_what_jiwer_counts():
    mine, theirs = parlure.process(REFERENCES, HYPOTHESES), jiwer.process_words(REFERENCES, HYPOTHESES)
    assert mine.profile == "raw"
    for name in ("substitutions", "deletions", "insertions", "hits"):
        assert getattr(mine, name) == getattr(theirs, name)
    for name in ("wer", "mer", "wil", "wip"):
        assert getattr(mine, name) == pytest.approx(getattr(theirs, name))
    assert parlure.wer(REFERENCES, HYPOTHESES) == mine.wer
    assert parlure.cer(REFERENCES, HYPOTHESES) == pytest.approx(jiwer.cer(REFERENCES, HYPOTHESES)) == mine.cer
    assert mine.ser == 1.0


def test_profiles_and_languages():
    found = parlure.process(REFERENCES, HYPOTHESES, language="fr")
    assert (found.profile, found.substitutions, found.insertions) == ("fr", 0, 1)
    assert found.words[2] == Counts(I=1) and found.total.n_empty_insertions == 1
    assert found == parlure.process(REFERENCES, HYPOTHESES, profile="fr", language="en")
    normalize = PROFILES["fr"].normalize
    assert found.references == tuple(map(normalize, REFERENCES))
    assert parlure.wer("l'été", "l' été", profile="fr") == 0.0
    assert parlure.process("le chat", "la chat").alignment(0) == [
        Op("substitute", "le", "la"),
        Op("equal", "chat", "chat"),
    ]


def test_what_has_no_rate():
    found = parlure.process(["", ""], ["", ""])
    assert (found.wer, found.cer, found.mer, found.wil, found.wip, found.ser) == (None, None, None, None, None, 0.0)
    assert parlure.process([], []).ser is None
    for rate in (parlure.wer, parlure.cer):
        with pytest.raises(ParlureError, match="no reference has a word, so there is no error rate") as caught:
            rate([""], ["merci"])
        assert caught.value.hint == "parlure.process counts what was inserted"


@pytest.mark.parametrize(
    ("references", "hypotheses", "message", "hint"),
    [
        (
            ["a"],
            ["a", "b"],
            "1 references cannot be compared with 2 hypotheses",
            "give one hypothesis for each reference",
        ),
        ([["a", "b"]], ["a"], r"references\[0\] is no text but list", "one reference an utterance: choose one wording"),
        (["a", "b"], ["a", None], r"hypotheses\[1\] is no text but NoneType", "a missing text is no empty one"),
    ],
)
def test_texts_that_cannot_be_compared_are_refused(references, hypotheses, message, hint):
    with pytest.raises(ParlureError, match=message) as caught:
        parlure.process(references, hypotheses)
    assert caught.value.hint.startswith(hint)


def test_compute_metrics_of_padded_tokens(nano):
    encode = nano.tokenizer

    def padded(texts):
        rows = [encode(text).input_ids for text in texts]
        return np.array([row + [-100] * (max(map(len, rows)) - len(row)) for row in rows])

    batch = SimpleNamespace(predictions=padded(HYPOTHESES[:2]), label_ids=padded(REFERENCES[:2]))
    metrics = parlure.make_compute_metrics(encode, language="fr")
    assert metrics(batch) == {"wer": 0.0, "cer": 0.0}
    processor = SimpleNamespace(tokenizer=encode)
    raw = parlure.make_compute_metrics(processor, profile="raw")(SimpleNamespace(**vars(batch) | {
        "predictions": (batch.predictions, "cross attentions")
    }))  # fmt: skip
    assert raw == pytest.approx({
        "wer": 100 * jiwer.wer(REFERENCES[:2], HYPOTHESES[:2]), "cer": 100 * jiwer.cer(REFERENCES[:2], HYPOTHESES[:2])
    })  # fmt: skip
    with pytest.raises(ParlureError, match="the predictions are logits and not tokens") as caught:
        metrics(SimpleNamespace(predictions=np.zeros((2, 3, 5)), label_ids=batch.label_ids))
    assert caught.value.hint == "set predict_with_generate=True in the training arguments"


def test_a_trainer_of_transformers_takes_it(nano, tmp_path):
    from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments, WhisperForConditionalGeneration

    from parlure.whisper.load import NANO

    said = ["oui, c'est bon", "bonjour"]
    noise = torch.Generator().manual_seed(1)
    rows = [
        {
            "input_features": torch.rand(80, 3_000, generator=noise) * (number + 1),
            "labels": torch.tensor(nano.tokenizer(text).input_ids),
        }
        for number, text in enumerate(said)
    ]

    def collate(batch):
        labels = torch.nn.utils.rnn.pad_sequence([row["labels"] for row in batch], True, -100)
        return {"input_features": torch.stack([row["input_features"] for row in batch]), "labels": labels}

    model = WhisperForConditionalGeneration.from_pretrained(NANO, dtype=torch.float32)  # not the shared one
    model.generation_config.language, model.generation_config.task = "fr", "transcribe"
    trainer = Seq2SeqTrainer(
        model=model,
        args=Seq2SeqTrainingArguments(
            str(tmp_path), predict_with_generate=True, per_device_eval_batch_size=2, generation_max_length=8,
            report_to=[], use_cpu=True,
        ),
        data_collator=collate,
        compute_metrics=parlure.make_compute_metrics(nano.tokenizer, language="fr"),
    )  # fmt: skip
    found = trainer.predict(rows)
    assert (found.label_ids == -100).any()
    normalize = PROFILES["fr"].normalize
    heard = nano.tokenizer.batch_decode(np.where(found.predictions < 0, 50_257, found.predictions), True)
    expected = jiwer.wer(list(map(normalize, said)), list(map(normalize, heard)))
    assert found.metrics["test_wer"] == pytest.approx(100 * expected)
