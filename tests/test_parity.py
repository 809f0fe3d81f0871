"""The gate of exports: the same texts pass, a loss beyond the limit fails, few speakers prove nothing."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from parlure.errors import ParlureError
from parlure.scoring.skills.parity import check_parity
from parlure.transcribing.engines.with_ctranslate2 import CTranslate2Engine
from parlure.transcribing.engines.with_torch import TorchEngine


def world(corpus, n_speakers):
    """Forty utterances of ten words, by so many speakers."""
    one = corpus.utterances[0]
    words = "le train part ce soir de la gare du nord"
    return [
        replace(
            one, id=str(i), text=words, speaker=f"s{i % n_speakers}", session=None, task="transcribe", language="fr"
        )
        for i in range(40)
    ]


def saying(text_of):
    """An engine that says of utterance ``id`` what the function says."""
    return SimpleNamespace(decode=lambda clips, options: [SimpleNamespace(text=text_of(int(c.id))) for c in clips])


def test_the_limit_is_one_point_of_the_upper_bound(corpus):
    utterances = world(corpus, 40)
    right = utterances[0].text
    wrong = right.replace("nord", "sud")
    exact = saying(lambda i: right)
    [full, short] = check_parity(utterances, exact, exact)
    assert (full.window, short.window) == ("full", "short")
    assert full.passed
    assert (full.original, full.exported, full.n_same, full.n_utterances) == (0.0, 0.0, 40, 40)
    assert full.line() == "30 s windows: WER 0.0 % → 0.0 % (+0.0 to +0.0), 40 of 40 texts the same: passed"
    [lossy] = check_parity(utterances, exact, saying(lambda i: wrong if i % 2 else right), windows=["short"])
    assert lossy.exported == pytest.approx(5.0)
    assert lossy.comparison.difference == pytest.approx(5.0)
    assert not lossy.passed
    assert lossy.line().startswith("short windows: WER 0.0 % → 5.0 % (+")
    assert lossy.line().endswith("20 of 40 texts the same: FAILED")
    [bettered] = check_parity(utterances, saying(lambda i: wrong), exact, windows=["full"])
    assert bettered.passed
    [tolerated] = check_parity(
        utterances, exact, saying(lambda i: wrong if i % 2 else right), windows=["full"], max_loss=10
    )
    assert tolerated.passed


def test_few_speakers_prove_nothing_but_the_same_texts(corpus):
    utterances = world(corpus, 2)
    right = utterances[0].text
    exact, other = saying(lambda i: right), saying(lambda i: right if i else "")
    [one] = check_parity(utterances, exact, other, windows=["full"])
    assert "too few speakers for an interval" in one.line()
    assert not one.passed
    assert check_parity(utterances, exact, exact, windows=["full"])[0].passed


def test_nobody_speaks(corpus):
    utterances = [replace(u, text="") for u in world(corpus, 2)]
    silent = saying(lambda i: "")
    with pytest.raises(
        ParlureError, match="nobody says a word in the utterances that the export is judged by"
    ) as caught:
        check_parity(utterances, silent, silent)
    assert caught.value.hint == "choose another split or corpus"


def test_nano_in_ctranslate2(corpus, nano, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    spoken = [u for u in sorted(corpus.utterances, key=lambda u: u.id) if u.text][:6]
    for one in check_parity(spoken, TorchEngine(nano), CTranslate2Engine("nano")):
        assert (one.n_same, one.passed) == (6, True)
