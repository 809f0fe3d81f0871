"""Folders, stdin, dialogues, and transcripts that are stopped and taken up again: `transcribe` day after day."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from spoken import spoken

from parlure import cli
from parlure.errors import ParlureError
from parlure.speech.audio import write_audio
from parlure.transcribing.into import transcribe_into
from parlure.transcribing.recordings import find_recordings
from parlure.transcribing.transcribe import transcribe

SENTENCES = ["Nous arrivons demain matin.", "Merci beaucoup, bonne soirée.", "Il fait froid dans la maison."]
COMMAND = ["transcribe", "calls", "--model", "nano", "--language", "fr", "--channels", "dialogue"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder of folders: recordings, a call with a party on each channel, a broken file, and what is no audio."""
    top = tmp_path_factory.mktemp("desk")
    folder = top / "calls"
    one, two, three = (0.5 * sound for sound in spoken(SENTENCES))
    write_audio(folder / "monday" / "early" / "one.flac", one)
    write_audio(folder / "monday" / "one.wav", one)
    pause = np.zeros(6_000, np.float32)
    agent = np.concatenate([pause, one, pause, np.zeros_like(two), pause, three, pause])
    caller = np.concatenate([pause, np.zeros_like(one), pause, two, pause, np.zeros_like(three), pause])
    soundfile.write(folder / "monday" / "pair.wav", np.stack([agent, caller], axis=1), 16_000)
    (folder / "broken.wav").write_bytes(b"RIFF1234WAVEjunk")
    (folder / "notes.txt").write_text("called back at noon")
    (folder / ".DS_Store").write_bytes(b"\0\1")
    return top


def test_a_folder_in_all_formats(recorded, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(recorded)
    out = tmp_path / "texts"
    asked = ["--speakers", "agent,caller", "--format", "text,jsonl,textgrid", "--out", str(out)]
    assert cli.run([*COMMAND, *asked]) == 2
    said = capsys.readouterr().err
    assert "calls/broken.wav is left out: calls/broken.wav cannot be decoded as audio" in said
    assert "2 files are no audio: calls/.DS_Store, calls/notes.txt\n" in said
    assert "error: 1 of 4 recordings are broken: calls/broken.wav\n" in said
    single = "calls/monday/one.wav, calls/monday/early/one.flac"
    assert f"no speakers, for there is one channel or the same in all (2): {single}\n" in said
    made = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.txt"))
    assert made == ["monday/early/one.txt", "monday/one.txt", "monday/pair.txt"]
    assert (out / "monday" / "one.txt").read_text() == (out / "monday" / "early" / "one.txt").read_text()
    lines = (out / "monday" / "pair.txt").read_text(encoding="utf-8").splitlines()
    assert lines == [
        "[00:00] agent: Nous arrivons demain matin.",
        "[00:01] caller: Merci beaucoup, bonne soirée.",
        "[00:03] agent: Il fait froid dans la maison.",
    ]
    row = json.loads((out / "monday" / "pair.jsonl").read_text(encoding="utf-8"))
    assert [one["speaker"] for one in row["segments"]] == ["agent", "caller", "agent"]

    # again: nothing to do; with another format only that; with other options nothing, and it says which
    done = [path for path in out.rglob("*") if path.is_file()]
    before = {path: path.stat().st_mtime_ns for path in done}
    assert cli.run([*COMMAND, *asked]) == 2
    assert "3 of 4 recordings were done before" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in done if path.name[0] != "."} == {
        path: time_ns for path, time_ns in before.items() if path.name[0] != "."
    }
    assert cli.run([*COMMAND, *asked, "--beam-size", "2"]) == 2
    said = capsys.readouterr().err
    assert f"error: the transcripts in {out} were made otherwise: beam_size was 1, now 2\n" in said
    assert "hint: name another --out, or give the same model and options\n" in said


def test_a_pipe(recorded):
    sound = (recorded / "calls" / "monday" / "pair.wav").read_bytes()
    command = [sys.executable, "-m", "parlure.cli", "transcribe", "-", *COMMAND[2:], "--format", "vtt"]
    done = subprocess.run([*command, "--stdin-name", "call"], input=sound, capture_output=True, check=True)
    cues = done.stdout.decode().splitlines()
    assert cues[0] == "WEBVTT"
    assert cues[3] == "<v speaker 1>Nous arrivons demain matin."
    refused = subprocess.run(command, input=b"", capture_output=True)
    assert refused.returncode == 2
    said = refused.stderr.decode()
    assert "error: nothing came in on stdin\nhint: for example cat call.wav | parlure transcribe - …\n" in said


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(recorded, tmp_path):
    folder, out = tmp_path / "calls", tmp_path / "texts"
    sound, _ = soundfile.read(recorded / "calls" / "monday" / "one.wav", dtype="float32")
    for number in range(12):
        write_audio(folder / f"{number:02}.wav", sound)
    arguments = [*COMMAND[2:], "--format", "srt", "--out", str(out)]
    command = [sys.executable, "-m", "parlure.cli", "transcribe", str(folder), *arguments]
    # whoever runs tests in the background has had it ignored, and children inherit that
    heeded = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heeded)
    while not list(out.glob("*.srt")) and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert said.endswith("interrupted; with --out what it has written is whole and kept: the same command goes on\n")
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*.srt")}
    assert 0 < len(kept) < 12
    assert all(path.read_text(encoding="utf-8").endswith(".\n\n") for path in kept)
    found = transcribe_into([folder], out, model="nano", language="fr", channels="dialogue", formats=["srt"])
    assert len(found.done_before) == len(kept) and len(found.files) == 12 - len(kept)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(out.glob("*.srt"))) == 12


def test_what_is_there_is_not_written_over(recorded, tmp_path):
    audio = tmp_path / "one.wav"
    audio.write_bytes((recorded / "calls" / "monday" / "one.wav").read_bytes())
    out = tmp_path / "texts"
    out.mkdir()
    (out / "one.txt").write_text("corrected by hand")
    with pytest.raises(ParlureError, match=r"one\.txt is there already") as caught:
        transcribe_into([audio], out, model="nano", language="fr")
    assert caught.value.hint == "name another --out, or delete it"
    (out / "one.txt").unlink()
    assert list(transcribe_into([audio], out, model="nano", language="fr").files) == [audio]
    text = (out / "one.txt").read_text()
    (out / "one.txt").write_text("corrected by hand")
    assert transcribe_into([audio], out, model="nano", language="fr").done_before == [audio]
    assert (out / "one.txt").read_text() == "corrected by hand"
    (out / "one.txt").unlink()
    transcribe_into([audio], out, model="nano", language="fr")
    assert (out / "one.txt").read_text() == text
    os.utime(audio, (1, 1))
    with pytest.raises(
        ParlureError, match=r"one\.wav is not the recording any more that .*one\.txt was made of"
    ) as caught:
        transcribe_into([audio], out, model="nano", language="fr")
    assert caught.value.hint == f"delete {out / 'one.txt'} to have it transcribed again"


def test_a_dialogue_is_what_its_channels_say(recorded):
    call = recorded / "calls" / "monday" / "pair.wav"
    [(_, found)] = transcribe([call], model="nano", language="fr", channels="dialogue", speakers=("agent", "caller"))
    split = [h for _, h in transcribe([call], model="nano", language="fr", channels="split", timestamps="segment")]
    for speaker, alone in zip(("agent", "caller"), split, strict=True):
        own = [one for one in found.segments if one.speaker == speaker]
        assert [one.text for one in own] == [one.text for one in alone.segments]
        # silence is taken from their edges
        assert all(o.start <= t.start < t.end <= o.end for t, o in zip(own, alone.segments, strict=True))
    assert found.id == "pair"
    assert found.text == " ".join(one.text for one in found.segments)
    starts = [one.start for one in found.segments]
    assert starts == sorted(starts)


def test_one_party_alone_keeps_its_name(recorded, tmp_path):
    sound, _ = soundfile.read(recorded / "calls" / "monday" / "one.wav", dtype="float32")
    soundfile.write(tmp_path / "half.wav", np.stack([np.zeros_like(sound), sound], axis=1), 16_000)
    told = {"model": "nano", "language": "fr", "channels": "dialogue", "speakers": ("agent", "caller")}
    [(_, found)] = transcribe([tmp_path / "half.wav"], **told)
    assert {one.speaker for one in found.segments} == {"caller"}


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        (
            {"speakers": ["a"]},
            "has 2 channels, and --speakers names 1",
            "a name for each channel in their order",
        ),
        (
            {"speakers": ["a", "a"]},
            "--speakers names two alike, or one not at all",
            "for example --speakers agent,caller",
        ),
        (
            {"speakers": ["a", "b"], "channels": "mix"},
            "speakers are named for a dialogue",
            "add --channels dialogue, or leave out --speakers",
        ),
        ({"mark_below": 2.0}, "--mark-below 2 is no probability", "more than 0, 1 at most, such as 0.5"),
    ],
)
def test_refusals(recorded, asked, message, hint):
    with pytest.raises(ParlureError) as caught:
        call = recorded / "calls" / "monday" / "pair.wav"
        list(transcribe([call], **({"model": "nano", "language": "fr", "channels": "dialogue"} | asked)))
    assert caught.value.message.endswith(message)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--format", "srt,vtt"], "stdout takes one format at a time", "add --out FOLDER for a file in each"),
        (["--word-cues", "--format", "srt"], "--word-cues needs the times of words", "add --timestamps word"),
        (
            ["--word-cues", "--timestamps", "word"],
            "--word-cues is for srt, vtt and tsv",
            "add one of them to --format",
        ),
        (
            ["--speakers", "text,b", "--format", "textgrid"],
            "a tier called text is not read",
            "export to EL",
        ),
    ],
)
def test_refused_commands(recorded, arguments, message, hint, capsys, monkeypatch):
    monkeypatch.chdir(recorded)
    assert cli.run([*COMMAND, *arguments]) == 2
    said = capsys.readouterr().err
    assert f"error: {message}" in said
    assert f"hint: {hint}" in said


def test_refused_places(tmp_path, capsys, nano):
    import torch

    (tmp_path / "notes.txt").write_text("no audio")
    with pytest.raises(ParlureError, match=r"there is no audio in .* or in a folder in it") as caught:
        find_recordings([tmp_path])
    assert caught.value.hint == "name the folder of the recordings"
    assert cli.run(["transcribe", "-", "--model", "nano", "--stdin-name", "a/b"]) == 2
    said = capsys.readouterr().err
    assert "error: --stdin-name a/b is not the name of a file\nhint: a name without folders, such as call\n" in said
    if not torch.cuda.is_available():
        from parlure.transcribing.engines.choice import open_engine

        with pytest.raises(ParlureError, match="there is no NVIDIA GPU that torch can use") as caught:
            open_engine("nano", device="cuda")
        assert caught.value.hint == "--device cpu; parlure doctor says more"
    from parlure.transcribing.engines.with_torch import TorchEngine

    write_audio(tmp_path / "a.wav", np.zeros(1600, np.float32))
    with pytest.raises(ParlureError, match="engine, quantize and device are for a MODEL's name, and this") as caught:
        list(transcribe([tmp_path / "a.wav"], model=TorchEngine(nano), device="cpu"))
    assert caught.value.hint == "leave them out"


def test_a_line_that_was_being_written_when_the_process_was_killed(recorded, tmp_path):
    audio, out = [recorded / "calls" / "monday" / "one.wav"], tmp_path / "texts"
    transcribe_into(audio, out, model="nano", language="fr")
    journal = out / ".transcribed.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-5])
    (out / "one.txt").unlink()
    transcribe_into(audio, out, model="nano", language="fr")
    assert journal.read_bytes() == whole
    assert Path(out / "one.txt").exists()
