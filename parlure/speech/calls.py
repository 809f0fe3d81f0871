"""A number of calls and a seed → a corpus of two-party telephone calls in Québec French, with its manifest.

    make_calls(Path("calls"), n_calls=80, seed=0)    # or: python -m parlure.speech.calls < job.json, see `_main`

For the demo and the tests: espeak-ng's voices (:mod:`parlure.speech.synth`) say invented service calls
(:mod:`parlure.speech.service_calls`) with a Québec accent (:mod:`parlure.speech.quebec`) through a telephone
(:mod:`parlure.speech.telephone`). No person's voice is in it, and a score on it says nothing about people.

A speaker has a channel to himself, turns alternate, nobody interrupts, hesitates or laughs. Calls share speakers only
two by two, so that a split can keep speakers and calls apart. The transcript is exactly what was said.
"""

from __future__ import annotations

import csv
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

import parlure
from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.quebec import quebec_phonemes
from parlure.speech.service_calls import call_turns
from parlure.speech.synth import Voice, phonemes, synthesize
from parlure.speech.telephone import CODECS, TELEPHONE_RATE, telephone_8khz

COLUMNS: Final = ("audio", "text", "speaker", "session", "language", "start", "end", "channel")
SUGGESTED_RATIOS: Final = (0.7, 0.1, 0.2)  # train, dev, test: at 80 calls this leaves some 25 speakers to test on
TURNS: Final = (8, 10, 12, 14)  # of a call, both parties together

# The variants nano never heard, without Lee and ian: on one sentence, their cepstra lie furthest from the plain voice.
VARIANTS: Final = (
    "Alex", "Gene2", "Hugo", "Jacky", "Michael", "Reed", "RicishayMax", "adam", "belinda", "edward2", "f2", "f5",
    "grandma", "iven3", "iven4", "klatt3", "klatt4", "klatt5", "klatt6", "m1", "m5", "m6", "mike2", "pedro",
)  # fmt: skip

SPAN_MARGIN_S: Final = 0.1  # s, the manifest's spans begin this much before the first sound and end as much after
_GAP_S = (0.35, 0.9)  # s between turns: more than two margins, so that spans never overlap
_RATE_WPM = (155, 200)  # words a minute: sentences last 1 to 6 s
_PITCH = (25, 75)
_LEVEL_DB = (-30.0, -20.0)  # dBov, from one line to another
_NOISE_DB = (-62.0, -50.0)  # dBov
_CODEC = "mulaw"

# English words in Québec's French that espeak-ng would read by the rules of France.
_SAID_AS = {"chum": "tchomme", "coloc": "coloque", "hockey": "hoquet", "beigne": "bègne"}
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Speaker:
    """Somebody on the telephone.

    Attributes:
        name: the manifest's ``speaker``, such as ``speaker-007``.
        voice: how they speak; no two speakers of a corpus share one.
    """

    name: str
    voice: Voice


@dataclass(frozen=True)
class _Turn:
    speaker: Speaker
    text: str
    channel: int
    start: float  # s from the call's beginning, of the span
    end: float


def make_calls(
    out: Path,
    *,
    n_calls: int = 80,
    seed: int = 0,
    talkbank_style: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write ``out/audio/call-000.wav`` … (stereo, 8 kHz, µ-law) and, last, ``out/manifest.csv``.

    The engine repeats itself only in a fresh process: a child does the work, and the same arguments give the same
    bytes whoever asks. 80 calls are about 900 utterances; they take some tens of seconds.

    Args:
        out: a folder; made if need be, files of the same names are replaced.
        n_calls: of 8 to 14 turns each, about 20 to 50 s long.
        seed: decides who speaks, what is said and how the lines sound; 0 or more.
        talkbank_style: put a space before each of ``! ? . , ;``, as the TalkBank-4-STT transcripts do.
        progress: called with (calls done, ``n_calls``) after each call.

    Returns:
        The path of the manifest: :data:`COLUMNS`, times in seconds, audio paths relative to ``out``, language ``fr``.

    Raises:
        ParlureError: ``n_calls`` is not positive, ``seed`` is negative, the engine is missing, or ``out``
            cannot be written.
    """
    if n_calls < 1:
        raise ParlureError(f"{n_calls} calls cannot be made", "ask for one call or more")
    if seed < 0:
        raise ParlureError(f"{seed} cannot seed the calls", "use a whole number from 0 on")
    job = {"out": str(Path(out).absolute()), "n_calls": n_calls, "seed": seed, "talkbank_style": talkbank_style}
    for done in _in_fresh_process(job):
        if progress:
            progress(done, n_calls)
    return Path(out) / "manifest.csv"


def _in_fresh_process(job: dict[str, object]) -> Iterator[int]:
    """Have a child do a job; yields the number of calls done after each."""
    search = [str(Path(parlure.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.Popen(
        [sys.executable, "-m", "parlure.speech.calls"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(search), "PYTHONIOENCODING": "utf-8"},
    )
    with child:
        assert child.stdin and child.stdout
        child.stdin.write(json.dumps(job))
        child.stdin.close()
        try:
            for line in child.stdout:
                report = json.loads(line)
                if "error" in report:
                    raise ParlureError(report["error"], report["hint"])
                yield report["done"]
        except BaseException:
            child.kill()
            raise
    if child.returncode:
        raise RuntimeError(f"the process that synthesises calls ended with {child.returncode}")


def cast(n_calls: int, rng: random.Random) -> list[tuple[Speaker, Speaker]]:
    """Who talks in each call: (agent on channel 0, customer on channel 1).

    In every three calls, the customer of the second rings again in the third: five speakers, of whom one returns.
    """
    seen: set[Voice] = set()
    pairs: list[tuple[Speaker, Speaker]] = []

    def newcomer() -> Speaker:
        while True:
            voice = Voice(
                f"fr+{rng.choice(VARIANTS)}", rng.randint(*_RATE_WPM), rng.randint(*_PITCH), rng.randint(*_PITCH)
            )
            if voice not in seen:
                seen.add(voice)
                return Speaker(f"speaker-{len(seen) - 1:03d}", voice)

    for call in range(n_calls):
        agent = newcomer()
        pairs.append((agent, pairs[-1][1] if call % 3 == 2 else newcomer()))
    return pairs


def _record_call(
    pair: tuple[Speaker, Speaker], rng: random.Random, noise: np.random.Generator
) -> tuple[Samples, list[_Turn]]:
    """Synthesise a call; samples have shape ``(n_samples, 2)`` at 8 kHz."""
    turns: list[_Turn] = []
    said: list[tuple[int, int, Samples]] = []
    clock = int(rng.uniform(*_GAP_S) * SAMPLE_RATE)  # samples at 16 kHz
    for place, text in enumerate(call_turns(rng, rng.choice(TURNS))):
        speaker, channel = pair[place % 2], place % 2
        sound = _say(text, speaker.voice)
        said.append((channel, clock, sound))
        start, end = clock / SAMPLE_RATE - SPAN_MARGIN_S, (clock + len(sound)) / SAMPLE_RATE + SPAN_MARGIN_S
        turns.append(_Turn(speaker, text, channel, start, end))
        clock += len(sound) + int(rng.uniform(*_GAP_S) * SAMPLE_RATE)
    lines = np.zeros((2, clock), np.float32)
    for channel, begin, sound in said:
        lines[channel, begin : begin + len(sound)] = sound
    return np.stack([_through_telephone(line, rng, noise) for line in lines], axis=1), turns


def _say(text: str, voice: Voice) -> Samples:
    spelled = _WORD.sub(lambda match: _SAID_AS.get(match.group().lower(), match.group()), text)
    return synthesize(quebec_phonemes(phonemes(spelled, "fr")), voice, is_phonemes=True)


def _through_telephone(line: Samples, rng: random.Random, noise: np.random.Generator) -> Samples:
    level_db, noise_db = rng.uniform(*_LEVEL_DB), rng.uniform(*_NOISE_DB)
    return telephone_8khz(line, noise, codec=_CODEC, level_db=level_db, line_noise_db=noise_db)


def _talkbank(text: str) -> str:
    return re.sub(r"\s*([!?.,;])", r" \1", text)


def _write_corpus(out: Path, n_calls: int, seed: int, talkbank_style: bool, progress: Callable[[int], None]) -> None:
    """The work itself; reproducible only as the first thing that a process does with the engine."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    (out / "audio").mkdir(parents=True, exist_ok=True)
    rows: list[tuple[str, ...]] = []
    for call, pair in enumerate(cast(n_calls, rng)):
        session = f"call-{call:03d}"
        samples, turns = _record_call(pair, rng, noise)
        soundfile.write(out / "audio" / f"{session}.wav", samples, TELEPHONE_RATE, subtype=CODECS[_CODEC])
        for turn in turns:
            text = _talkbank(turn.text) if talkbank_style else turn.text
            times = f"{turn.start:.3f}", f"{turn.end:.3f}"
            rows.append((f"audio/{session}.wav", text, turn.speaker.name, session, "fr", *times, str(turn.channel)))
        progress(call + 1)
    with (out / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _main() -> None:
    """The child of :func:`make_calls`: a job as JSON on stdin, reports as JSON lines on stdout."""

    def report(**message: object) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    job = json.load(sys.stdin)
    try:
        _write_corpus(
            Path(job["out"]), job["n_calls"], job["seed"], job["talkbank_style"], lambda done: report(done=done)
        )
    except ParlureError as error:
        report(error=error.message, hint=error.hint)
    except OSError as error:
        report(error=f"the calls cannot be written: {error}", hint="choose another folder, or make room on the disk")


if __name__ == "__main__":
    _main()
