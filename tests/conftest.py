"""What many tests share: nano, and a small corpus of synthetic telephone calls."""

import os

import pytest
import torch
from hypothesis import settings

settings.register_profile("suite", derandomize=True)  # the same examples every time: a failure is of the change
settings.load_profile("suite")

# each of pytest-xdist's workers has one core, and so have the commands that it starts
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)


@pytest.fixture(scope="session")
def nano():
    """The built-in model, loaded once."""
    from parlure.whisper.load import load

    return load("nano")


@pytest.fixture(scope="session")
def calls(tmp_path_factory):
    """A manifest of 9 synthetic telephone calls."""
    from parlure.speech.calls import make_calls

    return make_calls(tmp_path_factory.mktemp("calls"), n_calls=9, seed=3)


@pytest.fixture(scope="session")
def corpus_folder(calls, tmp_path_factory):
    """The calls as a corpus: speakers and calls apart."""
    from parlure.corpus.prepare import prepare

    folder = tmp_path_factory.mktemp("prepared") / "corpus"
    prepare([calls], folder, ratios=(0.5, 0.2, 0.3), seed=1)
    return folder


@pytest.fixture(scope="session")
def corpus(corpus_folder):
    """The same, in memory."""
    from parlure.corpus.manifest import Corpus

    return Corpus.load(corpus_folder)


@pytest.fixture(scope="session")
def clips(corpus):
    """All its utterances as clips, shortest id first."""
    from parlure.transcribing.clips import clips_of

    return clips_of(sorted(corpus.utterances, key=lambda utterance: utterance.id))
