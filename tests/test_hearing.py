"""What is heard of a span: hashes that tell sounds apart, recordings held open, samples as libsndfile has them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_prepare import tone, write_call, write_tone

from parlure.corpus.hearing import Heard, Hearer, Request, hear_all, sound_hash
from parlure.speech.audio import AudioError, Samples, probe, read_channels
from parlure.speech.recordings import N_OPEN, Recordings


def noise(n: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).integers(-32768, 32767, n).astype(np.float32) / 32768


@pytest.mark.parametrize("n", [1, 2, 3, 16_000, 65_535, 65_536, 65_537, 200_001])
def test_one_other_sample_is_another_sound(n: int) -> None:
    samples = noise(n)
    hashes = {sound_hash(samples)}
    for place in {0, n // 2, n - 1}:
        other = samples.copy()
        other[place] += np.float32(2**-15)
        hashes.add(sound_hash(other))
    assert len(hashes) == 1 + len({0, n // 2, n - 1})
    assert sound_hash(samples.copy()) in hashes and sound_hash(np.append(samples, np.float32(0))) not in hashes
    assert sound_hash(samples[::-1]) not in hashes or n == 1
    assert all(one is not None and 0 <= one < 2**64 for one in hashes)


def test_hashes_do_not_collide_and_stay_what_they_are() -> None:
    # what hashes badly: sounds of few levels, that differ in little
    levels = [np.float32(level) * tone(0.01) for level in range(1, 257)]
    squares = [np.where(np.arange(64) >= n, np.float32(0.5), np.float32(1.0)) for n in range(64)]
    clicks = [np.eye(1, 4096, n, dtype=np.float32)[0] for n in range(4096)]
    sounds = [*levels, *squares, *clicks, *(noise(500, seed) for seed in range(1000))]
    assert len({sound_hash(sound) for sound in sounds}) == len({sound.tobytes() for sound in sounds})
    assert sound_hash(np.zeros(100, np.float32)) is None
    assert sound_hash(np.arange(5, dtype=np.float32)) == 11721815489678437481  # heard.jsonl keeps it


@pytest.mark.parametrize("container", ["WAV", "FLAC", "AIFF", "AU", "CAF"])
def test_a_span_is_what_libsndfile_has_there(tmp_path: Path, container: str) -> None:
    path, recordings = tmp_path / "x", Recordings()
    frames = np.stack([noise(30_013), noise(30_013, 1)], axis=1)
    for subtype in soundfile.available_subtypes(container):
        if not subtype.startswith(("PCM", "ULAW", "ALAW", "FLOAT", "DOUBLE")):
            continue
        soundfile.write(path, frames, 8_000, subtype=subtype, format=container)
        recordings.forget(str(path))
        whole = soundfile.read(path, dtype="float32", always_2d=True)[0].T
        assert np.array_equal(read_channels(path)[0], whole)
        for start, end in ((0.5, 3.7), (0.0, 0.001), (3.0, 3.751), (1.1, 1.2)):
            span = whole[:, round(start * 8_000) : round(end * 8_000)]
            assert np.array_equal(read_channels(path, start, end)[0], span)
            assert np.array_equal(recordings.read(str(path), start, end)[0], span)
        assert recordings.info(str(path)) == probe(path)


def test_recordings_held_open(tmp_path: Path) -> None:
    recordings, paths = Recordings(), [str(tmp_path / f"{n}.wav") for n in range(N_OPEN + 4)]
    for n, path in enumerate(paths):
        write_tone(Path(path), 1.0 + n / 10)
    for path in [*paths, *reversed(paths)]:
        assert recordings.read(path, 0.2, 0.9)[0].shape == (1, 11_200)
    assert len(recordings._open) == N_OPEN
    write_tone(tmp_path / "a.mp3", 3.0)
    for _ in range(2):  # a codec that needs a run-up is read from a fresh file each time
        assert np.array_equal(
            recordings.read(str(tmp_path / "a.mp3"), 1, 2)[0], read_channels(tmp_path / "a.mp3", 1, 2)[0]
        )
    with pytest.raises(AudioError, match="reaches past the recording's end"):
        recordings.read(paths[0], 0.5, 2.0)
    assert recordings.read(paths[0], 0.5, 1.0)[0].shape == (1, 8_000)
    with pytest.raises(AudioError, match="there is no file"):
        recordings.info(str(tmp_path / "gone.wav"))


def test_a_hearer_in_another_process_is_one(tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav", "0011")
    request = Request(str(tmp_path / "call.wav"), 2.0, 4.0, "split", False)
    hearer = Hearer()
    (heard,) = hear_all(hearer, [request])
    assert heard == Heard(4.0, 2, "different", 1, heard.sound)
    there, again = pickle.loads(pickle.dumps(hearer)), pickle.loads(pickle.dumps(hearer))
    assert there is again and there is not hearer
    assert there.hear(request) == heard
    assert pickle.loads(pickle.dumps(Hearer())) is not there
    # what is longer than Whisper hears, and has no phrases to be cut between, is not read
    write_tone(tmp_path / "long.wav", 40.0, rate=1_000)
    assert hearer.hear(Request(str(tmp_path / "long.wav"), None, None, "ask", False)) == Heard(40.0)
    assert hearer.hear(Request(str(tmp_path / "long.wav"), None, None, "ask", True)).sound is not None
