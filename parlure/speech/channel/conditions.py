"""The table of what can happen to speech on its way: name → function, and its parameters with their limits.

Every function takes a :class:`parlure.speech.channel.line.Line`, a generator and its parameters by name, and gives a
line of the same rate or another, of the same length in time and not a sample late. A new condition is a function and a
row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from parlure.speech.channel.background import crosstalk, dtmf, hum, music, noise
from parlure.speech.channel.band import band, clean, landline, narrow
from parlure.speech.channel.codecs import AMR_KBPS, MP3_KBPS, OPUS_KBPS, amr, g711, g722, gsm, mp3, opus
from parlure.speech.channel.dynamics import agc, clip, gain
from parlure.speech.channel.line import Line
from parlure.speech.channel.packets import MAX_RATE, loss
from parlure.speech.telephone import BAND_HZ, LEVEL_DB, LINE_NOISE_DB

VERSION: Final = "1"  # raised whenever any condition sounds different


@dataclass(frozen=True)
class Number:
    """A parameter that is a number.

    Attributes:
        default: what it is unless given.
        low, high: its limits, both allowed.
        meaning: for a person, with the unit.
        steps: the only values there are; empty: any.
    """

    default: float
    low: float
    high: float
    meaning: str
    steps: tuple[float, ...] = ()

    @property
    def allowed(self) -> str:
        """In words."""
        few = self.steps if len(self.steps) <= 10 else ()
        whole = "whole numbers from " if len(self.steps) > 10 else ""
        return ", ".join(f"{step:g}" for step in few) or f"{whole}{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Word:
    """A parameter that is one of a few words."""

    default: str
    words: tuple[str, ...]
    meaning: str

    @property
    def allowed(self) -> str:
        """In words."""
        return ", ".join(self.words)


@dataclass(frozen=True)
class Condition:
    """Something that happens to a signal.

    Attributes:
        run: called with a line, a generator and the parameters; with ``voice`` too where ``needs_voice``.
        meaning: for a person.
        parameters: by name, in the order in which they may be given without one.
        needs_voice: whether somebody else's speech is needed.
    """

    run: Callable[..., Line]
    meaning: str
    parameters: Mapping[str, Number | Word]
    needs_voice: bool = False


def _steps(kbps: tuple[float, ...], default: float) -> dict[str, Number | Word]:
    return {"kbps": Number(default, kbps[0], kbps[-1], "bit rate, kbit/s", kbps)}


def _level(default: float) -> Number:
    return Number(default, -60.0, 20.0, "dB against the active speech")


_LAW = Word("mu", ("mu", "a"), "µ-law (North America, Japan) or A-law")

CONDITIONS: Final[Mapping[str, Condition]] = {
    "clean": Condition(clean, "the recording as it is", {}),
    "narrow": Condition(narrow, "sampled at 8 kHz", {}),
    "band": Condition(
        band,
        "band limit (ITU-T G.712)",
        {
            "low": Number(BAND_HZ[0], 50.0, 1_000.0, "Hz"),
            "high": Number(BAND_HZ[1], 1_500.0, 7_500.0, "Hz"),
        },
    ),
    "landline": Condition(
        landline,
        "a clean landline leg, as in the demo's calls: band, level, line noise, G.711",
        {
            "law": _LAW,
            "noise": Number(LINE_NOISE_DB, -90.0, -20.0, "dBov of hiss and hum"),
            "level": Number(LEVEL_DB, -50.0, -10.0, "dBov of the active speech"),
        },
    ),
    "g711": Condition(g711, "ITU-T G.711, 64 kbit/s", {"law": _LAW}),
    "gsm": Condition(gsm, "GSM 06.10 full rate, 13 kbit/s", {}),
    "amr": Condition(amr, "AMR narrow-band, mobile networks", _steps(AMR_KBPS, 12.2)),
    "opus": Condition(opus, "Opus, narrow-band, internet telephony", _steps(OPUS_KBPS, 12.0)),
    "g722": Condition(g722, "ITU-T G.722, 64 kbit/s, wide-band", {}),
    "mp3": Condition(mp3, "MP3 at 8 kHz, call recorders", _steps(MP3_KBPS, 16.0)),
    "loss": Condition(
        loss,
        "packets of 20 ms are lost (Gilbert)",
        {
            "rate": Number(0.05, 0.0, MAX_RATE, "share of packets lost"),
            "burst": Number(1.0, 1.0, 50.0, "mean packets lost in a row; 1: single ones alone"),
            "conceal": Word(
                "none", ("none", "repeat"), "none: silence; repeat: the last pitch period, fading (G.711 Appendix I)"
            ),
        },
    ),
    "noise": Condition(noise, "white line noise, 300 to 3400 Hz", {"level": _level(-20.0)}),
    "hum": Condition(
        hum,
        "mains hum and its odd harmonics",
        {"level": _level(-20.0), "mains": Number(60.0, 50.0, 60.0, "Hz: 60 in North America", (50.0, 60.0))},
    ),
    "dtmf": Condition(
        dtmf,
        "keys pressed while somebody speaks, 0.1 s each",
        {"level": _level(0.0), "keys": Number(3.0, 1.0, 100.0, "how many", tuple(map(float, range(1, 101))))},
    ),
    "music": Condition(music, "hold music that goes on", {"level": _level(-15.0)}),
    "crosstalk": Condition(
        crosstalk, "another speaker of the corpus, on another line", {"level": _level(-20.0)}, needs_voice=True
    ),
    "clip": Condition(clip, "an overdriven handset", {"db": Number(6.0, 0.0, 40.0, "dB cut off the largest sample")}),
    "gain": Condition(gain, "louder or quieter", {"db": Number(-12.0, -60.0, 40.0, "dB")}),
    "agc": Condition(
        agc,
        "automatic gain control",
        {
            "target": Number(-20.0, -50.0, -3.0, "dBov"),
            "most": Number(20.0, 0.0, 40.0, "dB of gain either way"),
        },
    ),
}

# what a table of robustness has unless it is asked for others: each codec at its best and worst, then what disturbs
USUAL: Final = (
    "narrow",
    "band",
    "landline",
    "g711",
    "g711(a)",
    "gsm",
    "amr(12.2)",
    "amr(4.75)",
    "opus(12)",
    "opus(6)",
    "g722",
    "mp3(16)",
    "mp3(8)",
    "g711 > loss(0.05)",
    "g711 > loss(0.05, conceal=repeat)",
    "g711 > loss(0.05, burst=3)",
    "g711 > loss(0.05, burst=3, conceal=repeat)",
    "g711 > loss(0.2)",
    "g711 > loss(0.2, conceal=repeat)",
    "noise(-20)",
    "noise(-10)",
    "hum(-10)",
    "dtmf",
    "music(-10)",
    "crosstalk(-30)",
    "crosstalk(-20)",
    "crosstalk(-10)",
    "clip(12)",
    "gain(-30)",
    "agc",
)
