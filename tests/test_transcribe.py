"""Files of any length → hypotheses."""

import numpy as np
import pytest

from parlure.errors import ParlureError
from parlure.speech.audio import read_audio, write_audio
from parlure.transcribing.transcribe import transcribe


@pytest.fixture(scope="module")
def files(corpus, tmp_path_factory):
    """Two short files, and one of 65 s made of utterances with pauses."""
    folder = tmp_path_factory.mktemp("é files")
    utterances = sorted(corpus.utterances, key=lambda u: u.id)[:24]
    sounds = [read_audio(u.recording, u.start, u.end, u.channel) for u in utterances]
    write_audio(folder / "un.wav", sounds[0])
    write_audio(folder / "deux.flac", sounds[1])
    pause = np.zeros(8_000, np.float32)
    long = np.concatenate([part for sound in sounds for part in (sound, pause)])[: 65 * 16_000]
    write_audio(folder / "long.flac", long)
    return [folder / "un.wav", folder / "long.flac", folder / "deux.flac"]


def test_short_and_long_files_in_the_order_given(files, nano, clips):
    found = list(transcribe(files, model="nano", language="fr"))
    assert [path for path, _ in found] == files
    assert [h.id for _, h in found] == ["un", "long", "deux"]
    short, long = found[0][1], found[1][1]
    assert short.segments is None
    assert long.segments
    assert long.text == " ".join(s.text for s in long.segments)
    starts = [s.start for s in long.segments]
    assert starts == sorted(starts)
    assert all(0 <= s.start <= s.end <= 66 for s in long.segments)
    assert starts[-1] > 30  # a second window was decoded


def test_timestamps_on_a_short_file(files):
    [(_, found)] = transcribe(files[:1], model="nano", language="fr", timestamps="segment")
    assert found.segments is not None


def test_language_is_identified(files):
    for _, found in transcribe(files[:2], model="nano"):
        assert found.language in ("fr", "en")


def test_refusals(files, tmp_path):
    with pytest.raises(ParlureError, match="no audio file was given") as caught:
        list(transcribe([], model="nano"))
    assert caught.value.hint == "parlure transcribe call.wav --model nano"
    with pytest.raises(ParlureError, match=r"there is no file .*none\.wav"):
        list(transcribe([files[0], tmp_path / "none.wav"], model="nano"))
    (tmp_path / "text.wav").write_text("not sound")
    with pytest.raises(ParlureError, match=r"text\.wav cannot be decoded as audio"):
        list(transcribe([tmp_path / "text.wav"], model="nano"))
