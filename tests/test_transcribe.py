"""Files of any length → hypotheses."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from parlure import cli
from parlure.errors import ParlureError
from parlure.speech.audio import AudioInfo, read_audio, write_audio
from parlure.transcribing.hypothesis import Hypothesis
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


def test_a_file_that_breaks_off_does_not_end_the_rest(files, tmp_path, capsys, monkeypatch):
    shutil.copy(files[0], tmp_path / "un.wav")
    (tmp_path / "b").mkdir()
    for place, source in (("b/un.flac", files[2]), ("b/long.flac", files[1])):
        whole = source.read_bytes()
        (tmp_path / place).write_bytes(whole[: len(whole) // 2])  # the header still says the whole length
    monkeypatch.chdir(tmp_path)
    audio = ["b/un.flac", "un.wav", "b/long.flac"]
    assert cli.run(["transcribe", *audio, "--model", "nano", "--language", "fr", "--out", "texts"]) == 2
    said = capsys.readouterr().err
    assert "b/un.flac is left out: b/un.flac" in said
    assert "error: 2 of 3 recordings are broken: b/un.flac, b/long.flac\n" in said
    assert "hint: the others are done; copy these again and transcribe them alone\n" in said
    assert [path.relative_to("texts").as_posix() for path in Path("texts").rglob("*.txt")] == ["un.txt"]
    with pytest.raises(ParlureError, match=r"un\.flac"):
        list(transcribe([Path("b/un.flac")], model="nano", language="fr"))


@pytest.fixture(scope="module")
def stereo(files, tmp_path_factory):
    """Two parties, one a channel; the same with the channels swapped; one party and itself inverted."""
    import soundfile

    folder = tmp_path_factory.mktemp("stereo")
    one, other = read_audio(files[0]), read_audio(files[2])
    n_samples = min(len(one), len(other))
    pairs = {"call": (one, other), "swapped": (other, one), "inverted": (one, -one)}
    for name, pair in pairs.items():
        soundfile.write(folder / f"{name}.wav", np.stack([part[:n_samples] for part in pair], axis=1), 16_000)
    return folder


def test_channels_are_transcribed_apart(stereo):
    told = {"model": "nano", "language": "fr", "channels": "split"}
    paths = [stereo / "call.wav", stereo / "inverted.wav", stereo / "swapped.wav"]
    found = list(transcribe(paths, **told))
    assert [path for path, _ in found] == [paths[0], paths[0], paths[1], paths[2], paths[2]]
    assert [h.id for _, h in found] == ["call-c0", "call-c1", "inverted", "swapped-c0", "swapped-c1"]
    texts = [h.text for _, h in found]
    assert texts[0] != texts[1]
    # swapping the channels swaps the transcripts and nothing else
    assert texts[3:] == [texts[1], texts[0]]
    assert texts[2] == texts[0]
    ((_, first),) = transcribe(paths[:1], **{**told, "channels": "first"})
    assert (first.id, first.text) == ("call", texts[0])
    ((_, mixed),) = transcribe(paths[:1], **{**told, "channels": "mix"})
    assert mixed.id == "call"


def test_different_channels_need_a_word(stereo):
    with pytest.raises(ParlureError, match=r"the 2 channels of .*call\.wav") as caught:
        list(transcribe([stereo / "call.wav"], model="nano"))
    assert caught.value.message.endswith("call.wav carry different sound, as two parties of a call do")
    assert caught.value.hint == (
        "--channels dialogue (who says what when), split (a text for each), first (the text of the first), "
        "or mix (one text of all)"
    )


def test_a_file_for_each_channel(stereo, tmp_path, capsys):
    command = ["transcribe", str(stereo / "call.wav"), "--model", "nano", "--language", "fr", "--channels", "split"]
    assert cli.run([*command, "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.glob("*.txt")) == ["call-c0.txt", "call-c1.txt"]
    assert "call-c1.txt" in capsys.readouterr().err
    (tmp_path / "call-c0.txt").write_text("corrected by hand")
    assert cli.run([*command, "--out", str(tmp_path)]) == 0
    assert "1 of 1 recordings were done before" in capsys.readouterr().err
    (tmp_path / "call-c1.txt").unlink()
    assert cli.run([*command, "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "call-c0.txt was changed since it was written, and would be written over" in said
    assert "hint: name another --out, or move it away\n" in said


def test_more_sound_than_the_header_says(files, monkeypatch):
    from parlure.transcribing import recordings
    from parlure.transcribing.engines import with_torch

    monkeypatch.setattr(recordings, "probe", lambda path: AudioInfo(30.0, 16_000, 1))
    monkeypatch.setattr(
        with_torch, "decode_long", lambda model, tokenizer, name, samples, options: _of_length(len(samples))
    )
    [(path, found)] = transcribe(files[1:2], model="nano", language="fr")
    assert (path, found.text) == (files[1], "65.0")


def _of_length(n_samples):
    return Hypothesis("long", str(n_samples / 16_000), "fr", None, None, None, (), False)


def test_refusals(files, tmp_path):
    with pytest.raises(ParlureError, match="no audio file was given") as caught:
        list(transcribe([], model="nano"))
    assert caught.value.hint == "parlure transcribe call.wav --model nano"
    with pytest.raises(ParlureError, match=r"there is no file .*none\.wav"):
        list(transcribe([files[0], tmp_path / "none.wav"], model="nano"))
    (tmp_path / "text.wav").write_text("not sound")
    with pytest.raises(ParlureError, match=r"text\.wav cannot be decoded as audio"):
        list(transcribe([tmp_path / "text.wav"], model="nano"))


def test_short_windows_are_for_models_tuned_on_them(tmp_path, nano, clips):
    import soundfile

    from parlure.errors import ParlureError

    path = tmp_path / "a.wav"
    soundfile.write(path, clips[0].read(), 16_000)
    with pytest.raises(ParlureError) as caught:
        list(transcribe([path], model="nano", window="short"))
    assert caught.value.message == (
        "nano is not known to be tuned on short windows, in which an untuned Whisper goes round in circles"
    )
    assert caught.value.hint == (
        "leave out --window short, or give the run folder of a tuning with full_window_share below 1"
    )
