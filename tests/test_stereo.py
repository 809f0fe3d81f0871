"""Calls in stereo: which channel, who speaks in it, what is wrong with it; and channels that are swapped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from test_prepare import Fields, rejected, run, tone, write_call
from test_prepare import one as utterances

from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError
from parlure.speech.audio import read_audio


def turns(n: int = 4, **fields: Any) -> list[Fields]:
    return [{"audio": "call.wav", "text": f"t{i}", "start": i, "end": i + 1, **fields} for i in range(n)]


def swap(path: Path) -> None:
    frames, rate = soundfile.read(path)
    soundfile.write(path, frames[:, ::-1], rate)


def heard(found: list[Utterance]) -> list[Any]:
    return [read_audio(u.recording, u.start, u.end, u.channel) for u in found]


@pytest.mark.parametrize("by", ["--channels split", "a column"])
def test_swapped_channels_swap_channels_and_nothing_else(tmp_path: Path, by: str) -> None:
    write_call(tmp_path / "call.wav", "0101")
    rows = turns()
    if by == "a column":
        for n, row in enumerate(rows):
            row["channel"] = n % 2
    before = utterances(tmp_path, *rows, channels="split")
    sounds = heard(before)
    swap(tmp_path / "call.wav")
    if by == "a column":
        for row in rows:
            row["channel"] = 1 - row["channel"]
    after = utterances(tmp_path, *rows, channels="split")
    assert [u.channel for u in before] == [0, 1, 0, 1]
    swapped = [replace(u, id=f"{u.id[:-1]}{1 - u.channel}", channel=1 - u.channel) for u in before]
    assert after == swapped
    for one, other in zip(sounds, heard(after), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_row_of_one_speaker_needs_no_policy(tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav", "012-")
    summary = run(tmp_path, *turns(speaker="marie"), ratios=(0, 0, 1))
    assert [u.channel for u in Corpus.load(tmp_path / "corpus").utterances] == [0, 1]
    assert [reason for reason, _ in rejected(tmp_path / "corpus")] == ["ambiguous_channel"] * 2
    assert summary.warnings[0] == (
        "2 rows name a speaker and no channel, and their recordings' channels differ: the channel that speaks in the "
        "span was taken, as with --channels split"
    )
    assert "as with --channels split" not in str(run(tmp_path, *turns(2), channels="split", ratios=(0, 0, 1)).warnings)
    with pytest.raises(ParlureError, match="carry different sound"):  # nobody says that one person speaks in all of it
        run(tmp_path, {"audio": "call.wav", "text": "a", "speaker": "marie"})


def stereo(folder: Path, name: str, one: Any, other: Any) -> Fields:
    soundfile.write(folder / name, np.stack([one, other], axis=1), 16_000)
    return {"audio": name, "text": "a"}


def test_what_is_wrong_with_channels_is_said(tmp_path: Path) -> None:
    sound = tone(2.0)
    rows = [
        *(stereo(tmp_path, f"same{n}.wav", sound, sound * 0.5) for n in range(5)),
        stereo(tmp_path, "left.wav", sound, sound * 0),
        stereo(tmp_path, "turned.wav", sound, -sound),
        {**stereo(tmp_path, "named.wav", sound, -sound), "channel": 1},
    ]
    summary = run(tmp_path, *rows, ratios=(0, 0, 1))
    assert list(summary.warnings[:3]) == [
        "5 recordings with the same sound in all channels (../same0.wav, ../same1.wav, ../same2.wav and 2 more; "
        "corpus.json lists all): no channel tells who speaks there",
        "1 recording with sound in one channel alone (../left.wav; corpus.json lists all): a row of another channel "
        "has a text without sound",
        "2 recordings with one sound twice, once with its polarity inverted (../named.wav, ../turned.wav; corpus.json "
        "lists all): a mean would cancel the speech, so channel 0 was taken where a row names none",
    ]
    corpus = Corpus.load(tmp_path / "corpus")
    assert corpus.info["channels"]["one_sided"] == {"recordings": 1, "files": ["../left.wav"]}
    assert {name: found["recordings"] for name, found in corpus.info["channels"].items()} == {
        "identical": 5, "one_sided": 1, "inverted": 2
    }  # fmt: skip
    assert [u.channel for u in corpus.utterances] == [None] * 6 + [0, 1]
    for policy in ("mix", "split", "first"):  # the mean of the inverted is silence, whatever was asked for
        found = utterances(tmp_path, rows[-2], channels=policy)
        assert found[0].channel == 0
        assert np.abs(heard(found)[0]).max() > 0.2


def test_who_speaks_in_which_channel(tmp_path: Path) -> None:
    rows: list[Fields] = []
    for n in range(2):
        write_call(tmp_path / f"call{n}.wav", "01")
        rows += [{"audio": f"call{n}.wav", "text": "a", "start": i, "end": i + 1, "speaker": ""} for i in (0, 1)]
    rows[3]["speaker"] = "marie"
    names = ("agent", "customer")
    parties = ["call0/agent", "call0/customer", "call1/agent", "marie"]
    assert [u.speaker for u in utterances(tmp_path, *rows, channels="split", channel_speakers=names)] == parties
    by_column = [{**row, "channel": n % 2} for n, row in enumerate(rows)]
    assert [u.speaker for u in utterances(tmp_path, *by_column, channel_speakers=names)] == parties
    everywhere = utterances(tmp_path, *by_column, channel_speakers=("anne",), local_speakers=False)
    assert [u.speaker for u in everywhere] == ["anne", None, "anne", "marie"]
    in_calls = utterances(tmp_path, *by_column, channel_speakers=names, local_speakers=True)
    assert [u.speaker for u in in_calls] == [*parties[:3], "call1/marie"]
    for bad in (("a", "a"), ("a", "")):
        with pytest.raises(ParlureError, match=f"--channel-speakers cannot be {','.join(bad)}") as caught:
            run(tmp_path, *rows, channel_speakers=bad)
        assert caught.value.hint == "a name for each channel: --channel-speakers agent,customer"


def test_the_command_takes_names_of_channels(tmp_path: Path, capsys: Any) -> None:
    from parlure import cli

    write_call(tmp_path / "call.wav", "01")
    rows = [{"audio": "call.wav", "text": "a", "channel": n} for n in (0, 1)]
    (tmp_path / "calls.jsonl").write_text("\n".join(map(json.dumps, rows)))
    out = str(tmp_path / "corpus")
    command = ["prepare", str(tmp_path / "calls.jsonl"), "--out", out, "--language", "fr", "--ratios", "0,0,1"]
    assert cli.run([*command, "--channel-speakers", "agent, customer"]) == 0, capsys.readouterr().err
    assert [u.speaker for u in Corpus.load(out).utterances] == ["call/agent", "call/customer"]


def test_a_recording_that_breaks_off_behind_its_rows(tmp_path: Path) -> None:
    write_call(tmp_path / "call.flac", "01" * 20)
    whole = (tmp_path / "call.flac").read_bytes()
    (tmp_path / "call.flac").write_bytes(whole[: len(whole) * 3 // 4])
    rows = [{**row, "audio": "call.flac"} for row in turns(2)]
    assert len(utterances(tmp_path, {**rows[0], "channel": 0}, {**rows[1], "channel": 1})) == 2
    run(tmp_path, {**rows[0], "channel": 0}, rows[1], ratios=(0, 0, 1))
    assert [reason for reason, _ in rejected(tmp_path / "corpus")] == ["undecodable"]
