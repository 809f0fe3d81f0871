"""Commands in ``wav.scp``: those that only decode a file are read as that file, all others are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from parlure.corpus.readers import read_rows
from parlure.corpus.readers.kaldi_pipes import Piped, decoded_by
from parlure.corpus.readers.row import Columns, Row


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("flac -c -d -s /corpora/84-121123-0000.flac |", Piped("/corpora/84-121123-0000.flac")),
        ("  flac -cds 'my call.flac'|", Piped("my call.flac")),
        ("/kaldi/tools/sph2pipe_v2.5/sph2pipe -f wav -p -c 2 a.sph |", Piped("a.sph", 1)),
        ("sph2pipe -f wav -p a.sph |", Piped("a.sph")),
        ("cat a.wav |", Piped("a.wav")),
        ("sox a.mp3 -t wav -r 16000 -b 16 -c 1 - |", Piped("a.mp3")),
        ("sox -t wav a.wav -t wav - remix 2 |", Piped("a.wav", 1)),
        ("sox -V1 a.wav -t wav - rate 8000 |", Piped("a.wav")),
        ("ffmpeg -nostdin -loglevel quiet -i a.m4a -ar 16000 -ac 1 -f wav - |", Piped("a.m4a")),
        # what changes the sound, takes a part of it, or is more than one command
        ("sox a.wav -t wav - speed 1.1 |", None),
        ("sox -v 0.5 a.wav -t wav - |", None),
        ("sox a.wav b.wav -t wav - |", None),
        ("sox a.wav -t wav - remix 1,2 |", None),
        ("sox a.wav -t wav - trim 1 2 |", None),
        ("ffmpeg -ss 3 -i a.wav -f wav - |", None),
        ("ffmpeg -i a.wav -i b.wav -f wav - |", None),
        ("sph2pipe -f wav -p -t 1:2 a.sph |", None),
        ("sph2pipe -f wav -p -c |", None),
        ("flac -c -d -s a.flac | sox -t wav - -r 8000 -t wav - |", None),
        ("cat $DATA/a.wav |", None),
        ("cat a.wav b.wav |", None),
        ("rm -r a |", None),
        ("cat 'a.wav |", None),
        ("|", None),
    ],
)
def test_commands(command: str, expected: Piped | None) -> None:
    assert decoded_by(command) == expected


def test_both_sides_of_a_call_in_sphere(tmp_path: Path) -> None:
    """As Switchboard's recipe has it: one file of two channels, and a command for each."""
    sound = np.random.default_rng(1).normal(0, 0.1, (8000, 2))
    soundfile.write(tmp_path / "sw1.sph", sound, 8000, format="NIST", subtype="ULAW")
    soundfile.write(tmp_path / "mono.sph", sound[:, 0], 8000, format="NIST", subtype="PCM_16")
    lines = "".join(f"sw1-{side} sph2pipe -f wav -p -c {n} sw1.sph |\n" for n, side in ((1, "A"), (2, "B")))
    (tmp_path / "wav.scp").write_text(f"{lines}mono sph2pipe -f wav -p -c 1 mono.sph |\n")
    (tmp_path / "text").write_text("sw1-A allô\nsw1-B oui\nmono bonjour\n", encoding="utf-8")
    rows = list(read_rows(str(tmp_path), Columns()))
    found = [(row.id, row.audio.name, row.channel, row.session) for row in rows if isinstance(row, Row)]
    assert found == [
        ("sw1-A", "sw1.sph", 0, "sw1"),
        ("sw1-B", "sw1.sph", 1, "sw1"),
        ("mono", "mono.sph", None, None),
    ]
