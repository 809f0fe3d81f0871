"""Every format in, mono 16 kHz out: the right span, the right channel, and a clear word when it cannot be."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from parlure.errors import ParlureError
from parlure.speech.audio import (
    SAMPLE_RATE,
    AudioError,
    AudioInfo,
    Samples,
    probe,
    read_audio,
    read_channels,
    write_audio,
)
from parlure.speech.channels import channel_layout


def sweep(duration_s: float, rate: int, low_hz: float = 200.0) -> Samples:
    """A rising tone in syllables: any shift in time changes it."""
    t = np.arange(round(duration_s * rate)) / rate
    syllables = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * t)
    return (0.4 * syllables * np.sin(2 * np.pi * (low_hz + 60 * t) * t)).astype(np.float32)


def encode(path: Path, codec: str, rate: int, samples: Samples) -> None:
    pcm = np.ascontiguousarray((samples * 32767).astype(np.int16).reshape(1, -1))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def correlation(one: Samples, other: Samples) -> float:
    n = min(len(one), len(other))
    return float(np.corrcoef(one[:n], other[:n])[0, 1])


@pytest.mark.parametrize(
    ("name", "rate", "subtype"),
    [
        ("a.wav", 16_000, "PCM_16"),
        ("a.wav", 44_100, "FLOAT"),
        ("a.wav", 8_000, "ULAW"),
        ("a.wav", 8_000, "GSM610"),
        ("a.flac", 48_000, "PCM_24"),
        ("a.mp3", 44_100, None),
        ("a.ogg", 22_050, "VORBIS"),
    ],
)
def test_soundfile_formats(tmp_path: Path, name: str, rate: int, subtype: str | None) -> None:
    path = tmp_path / name
    soundfile.write(path, sweep(2.0, rate), rate, subtype=subtype)

    samples = read_audio(path)

    assert samples.dtype == np.float32
    assert len(samples) / SAMPLE_RATE == pytest.approx(2.0, abs=0.03)
    assert correlation(samples, sweep(2.0, SAMPLE_RATE)) > 0.98
    span = read_audio(path, 1.0, 1.75)
    assert len(span) == 12_000
    assert correlation(span, samples[16_000:28_000]) > 0.999
    assert channel_layout(path) != "different"


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [("a.m4a", "aac", 44_100), ("a.webm", "libopus", 48_000), ("a.amr", "libopencore_amrnb", 8_000)],
)
def test_pyav_formats(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = tmp_path / name
    encode(path, codec, rate, sweep(5.0, rate))

    samples = read_audio(path)

    assert probe(path).sample_rate == rate
    assert probe(path).duration_s == pytest.approx(5.0, abs=0.05)
    assert len(samples) / SAMPLE_RATE == pytest.approx(5.0, abs=0.05)
    # a codec delays the sound by some samples: the lag is allowed to be 20 ms at most
    early, reference = samples[8_000:24_000], sweep(5.0, SAMPLE_RATE)
    assert max(correlation(early, reference[8_000 - lag : 24_000 - lag]) for lag in range(-320, 321, 4)) > 0.9
    span = read_audio(path, 3.25, 4.5)
    assert len(span) == 20_000
    assert max(correlation(span, samples[52_000 + lag : 72_000 + lag]) for lag in range(-10, 11)) > 0.99


def test_a_recording_without_a_length_in_its_header_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "browser.webm"
    encode(path, "libopus", 48_000, sweep(2.0, 48_000))
    content = bytearray(path.read_bytes())
    # what a browser writes: no Duration element (id 0x4489) in the header; 0xEC is Void
    at = content.index(b"\x44\x89\x88")
    content[at : at + 11] = b"\xec\x89" + bytes(9)
    path.write_bytes(bytes(content))

    assert probe(path).duration_s == pytest.approx(2.0, abs=0.05)
    assert len(read_audio(path, 1.5)) / SAMPLE_RATE == pytest.approx(0.5, abs=0.05)


def test_channels(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    left, right = sweep(1.0, 8_000), sweep(1.0, 8_000, low_hz=900.0)
    soundfile.write(path, np.stack([left, right], axis=1), 8_000, subtype="FLOAT")

    assert probe(path) == AudioInfo(1.0, 8_000, 2)
    frames, rate = read_channels(path, 0.25, 0.5)
    np.testing.assert_array_equal(frames, np.stack([left, right])[:, 2_000:4_000])
    assert rate == 8_000
    mix, first, second = (read_audio(path, channel=channel) for channel in (None, 0, 1))
    np.testing.assert_allclose(mix, (first + second) / 2, atol=1e-3)
    assert correlation(first, sweep(1.0, SAMPLE_RATE)) > 0.99
    with pytest.raises(AudioError, match=r"call\.wav has no channel 2: it has 2") as caught:
        read_audio(path, channel=2)
    assert caught.value.hint == "channels are counted from 0"


def test_span_may_reach_a_little_past_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_audio(path, sweep(1.0, SAMPLE_RATE))

    assert len(read_audio(path, 0.5, 1.08)) == 8_000
    for start_s, end_s in ((0.5, 1.2), (1.0, None), (3.0, None)):
        message = rf"a\.wav: the span from {start_s} s to {end_s} s reaches past the recording's end at 1\.000 s"
        with pytest.raises(AudioError, match=message) as caught:
            read_audio(path, start_s, end_s)
        assert caught.value.hint == "times are in seconds from the start of the recording"
    for start_s, end_s in ((0.5, 0.5), (0.5, 0.2), (-1.0, 0.5), (float("nan"), 1.0)):
        with pytest.raises(
            AudioError, match=rf"a\.wav: the span from {start_s} s to {end_s} s holds nothing"
        ) as caught:
            read_audio(path, start_s, end_s)
        assert caught.value.hint == "a span starts at 0 s or later and ends after its start"


def test_a_span_too_short_for_a_sample_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_audio(path, sweep(1.0, SAMPLE_RATE))
    with pytest.raises(AudioError, match=r"a\.wav holds no sound") as caught:
        read_audio(path, 0.5, 0.50001)
    assert caught.value.hint == "record or copy it again"


NEAR_IT = "check the path; those in a manifest are relative to the manifest"
PLAY_IT = "play it to see whether it is whole; wav, flac, mp3, ogg, m4a, webm and amr are read"


@pytest.mark.parametrize(
    ("content", "reason", "message", "hint"),
    [
        (
            None,
            "missing_file",
            "there is no file .*x.wav",
            "check the path; those in a manifest are relative to the manifest",
        ),
        (b"", "undecodable", r"x\.wav cannot be decoded as audio", PLAY_IT),
        (b"not audio at all " * 50, "undecodable", r"x\.wav cannot be decoded as audio", PLAY_IT),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, content: bytes | None, reason: str, message: str, hint: str) -> None:
    path = tmp_path / "x.wav"
    if content is not None:
        path.write_bytes(content)
    for reading in (read_audio, probe, channel_layout):
        with pytest.raises(AudioError, match=message) as caught:
            reading(path)
        assert caught.value.reason == reason
        assert caught.value.hint == hint


def test_no_sample_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros((0, 1), np.float32), 16_000)
    with pytest.raises(AudioError, match=r"x\.wav holds no sound") as caught:
        read_audio(path)
    assert caught.value.hint == "record or copy it again"


def test_a_cut_off_file_is_not_read_as_a_short_one(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    rng = np.random.default_rng(0)
    soundfile.write(path, rng.normal(0, 0.1, 32_000), 16_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"x\.flac cannot be decoded as audio") as caught:
        read_audio(path)
    assert caught.value.hint == PLAY_IT


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_numbers(tmp_path: Path, bad: float) -> None:
    path = tmp_path / "x.wav"
    samples = sweep(1.0, 16_000)
    samples[100] = bad
    soundfile.write(path, samples, 16_000, subtype="FLOAT")

    with pytest.raises(AudioError, match=r"x\.wav holds samples that are not numbers \(NaN or infinite\)") as caught:
        read_audio(path)
    assert caught.value.hint == "convert it again from the original recording, as 16-bit PCM"
    assert len(read_audio(path, 0.5)) == 8_000  # the span asked for is whole


@pytest.mark.parametrize("suffix", [".flac", ".wav"])
def test_write_then_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"a{suffix}"
    samples = sweep(1.0, SAMPLE_RATE)
    write_audio(path, samples * 4)  # too loud: clipped
    np.testing.assert_allclose(read_audio(path), np.clip(samples * 4, -1, 1), atol=1e-4)
    assert soundfile.info(path).subtype == "PCM_16"


def test_write_refuses_other_formats(tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match=r"a\.mp3 is neither \.flac nor \.wav") as caught:
        write_audio(tmp_path / "a.mp3", sweep(0.1, SAMPLE_RATE))
    assert caught.value.hint == "name it with one of these suffixes"


def turns(duration_s: float, rate: int, party: int) -> Samples:
    """One party of a call: speaks in every other second."""
    t = np.arange(round(duration_s * rate)) / rate
    return np.where(t.astype(int) % 2 == party, sweep(duration_s, rate, 200.0 + 300 * party), 0).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("mono", "one"),
        ("identical", "identical"),
        ("identical but for the gain", "identical"),
        ("identical but for line noise", "identical"),
        ("one silent", "one_sided"),
        ("one with line noise only", "one_sided"),
        ("all silent", "silent"),
        ("two parties", "different"),
        ("a second party that says one word", "different"),
        ("two parties that hear each other through the line", "different"),
        ("the same, with polarity inverted on the way", "different"),
        ("inverted polarity", "inverted"),
        ("inverted and quieter, with line noise", "inverted"),
        ("three, one inverted", "inverted"),
        ("three, one silent", "identical"),
    ],
)
def test_channel_layouts(tmp_path: Path, name: str, layout: str) -> None:
    rate, rng = 8_000, np.random.default_rng(0)
    voice, silence = turns(8.0, rate, 0), np.zeros(8 * rate, np.float32)
    hiss = rng.normal(0, 0.001, (2, 8 * rate)).astype(np.float32)
    word, answer = silence.copy(), turns(8.0, rate, 1)
    word[5 * rate : 5 * rate + 4_000] = sweep(0.5, rate)
    channels = {
        "mono": [voice],
        "identical": [voice, voice],
        "identical but for the gain": [voice, 0.3 * voice],
        "identical but for line noise": [voice + hiss[0], voice + hiss[1]],
        "one silent": [voice, silence],
        "one with line noise only": [voice, hiss[0]],
        "all silent": [silence, silence],
        "two parties": [voice, answer],
        "a second party that says one word": [voice, word],
        "two parties that hear each other through the line": [voice + 0.1 * answer, answer + 0.1 * voice],
        "the same, with polarity inverted on the way": [voice - 0.1 * answer, answer - 0.1 * voice],
        "inverted polarity": [voice, -voice],
        "inverted and quieter, with line noise": [voice + hiss[0], hiss[1] - 0.3 * voice],
        "three, one inverted": [voice, voice, -voice],
        "three, one silent": [voice, silence, voice],
    }[name]
    path = tmp_path / "call.wav"
    soundfile.write(path, np.stack(channels, axis=1), rate)
    assert channel_layout(path) == layout


def test_channel_layout_through_pyav(tmp_path: Path) -> None:
    path = tmp_path / "call.m4a"
    pcm = np.stack([turns(4.0, 16_000, 0), turns(4.0, 16_000, 1)])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    assert channel_layout(path) == "different"
