"""Measures of recordings → what is wrong with their sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parlure.corpus.check.findings import Ledger
from parlure.corpus.check.listening import span_of
from parlure.corpus.check.text import holds_word
from parlure.corpus.manifest import SPLITS

_RELATIONS = {
    "identical": ("identical_channels", "{n} channels of the same sound"),
    "inverted": ("inverted_channels", "{n} channels, one the other's opposite"),
    "one_sided": ("silent_channel", "all but one of {n} channels are silent"),
    "silent": ("silent_channel", "all {n} channels are silent"),
}


def check_audio(ledger: Ledger, measured: Mapping[str, Mapping[str, Any]], *, mixing_is_meant: bool) -> None:
    """Every utterance's sound, and the sound that is there twice.

    Args:
        ledger: takes what is found.
        measured: by recording, as :func:`parlure.corpus.check.listening.listen` returns it.
        mixing_is_meant: the corpus was prepared with ``--channels mix``.
    """
    if mixing_is_meant:
        ledger.soften("mixed_channels", "note")
    seen: dict[str, int] = {}
    for index, utterance in enumerate(ledger.utterances):
        recording = measured[utterance.recording]
        if "error" in recording:
            ledger.add(recording["error"][0], index, recording["error"][1])
            continue
        _check_file(ledger, index, recording)
        sound = recording["spans"][span_of(utterance).key]
        if "error" in sound:
            ledger.add(sound["error"][0], index, sound["error"][1])
            continue
        _check_sound(ledger, index, sound)
        _check_speech(ledger, index, sound)
        if sound["pcm"] is not None and (first := seen.setdefault(sound["pcm"], index)) != index:
            _same(ledger, first, index)


def _check_file(ledger: Ledger, index: int, recording: Mapping[str, Any]) -> None:
    """What is true of the whole recording, said of each of its utterances."""
    utterance = ledger.utterances[index]
    if recording["cut_off"]:
        ledger.add("truncated_audio", index, recording["cut_off"])
    if recording["rate"] < ledger.threshold("low_sample_rate"):
        ledger.add("low_sample_rate", index, f"{recording['rate']} Hz", -recording["rate"])
    if recording["relation"] in _RELATIONS:
        code, sentence = _RELATIONS[recording["relation"]]
        ledger.add(code, index, sentence.format(n=recording["n_channels"]))
    elif recording["relation"] == "different" and utterance.channel is None:
        ledger.add("mixed_channels", index, f"the mean of {recording['n_channels']} channels")


def _check_sound(ledger: Ledger, index: int, sound: Mapping[str, Any]) -> None:
    if sound["clipped"] > ledger.threshold("heavy_clipping"):
        ledger.add("heavy_clipping", index, f"{sound['clipped']:.2%} of the samples", sound["clipped"])
    elif sound["clipped"] > ledger.threshold("clipping"):
        ledger.add("clipping", index, f"{sound['clipped']:.2%} of the samples", sound["clipped"])
    if abs(sound["dc"]) > ledger.threshold("dc_offset"):
        ledger.add("dc_offset", index, f"{sound['dc']:+.3f} of full scale", abs(sound["dc"]))
    if sound["high"] is not None and sound["high"] < ledger.threshold("telephone_band"):
        value = f"{sound['high']:.1%} of the energy above 4 kHz, the spectrum ends at {sound['bandwidth_hz']} Hz"
        ledger.add("telephone_band", index, value, -sound["high"])


def _check_speech(ledger: Ledger, index: int, sound: Mapping[str, Any]) -> None:
    """What matters only where a text says that somebody speaks."""
    if not holds_word(ledger.utterances[index].text):
        return
    if sound["rms"] < ledger.threshold("near_silent"):
        ledger.add("near_silent", index, f"RMS {sound['rms']:.4f}", -sound["rms"])
    speech = f"{sound['speech']:.0%} of the frames"
    if sound["speech"] <= ledger.threshold("no_speech"):
        ledger.add("no_speech", index, speech, -sound["speech"])
        return
    if sound["speech"] < ledger.threshold("little_speech"):
        ledger.add("little_speech", index, speech, -sound["speech"])
    for code, seconds in (("leading_silence", sound["lead_s"]), ("trailing_silence", sound["trail_s"])):
        if seconds > ledger.threshold(code):
            ledger.add(code, index, f"{seconds:.1f} s", seconds)
    if sound["snr_db"] is not None and sound["snr_db"] < ledger.threshold("low_snr"):
        ledger.add("low_snr", index, f"{sound['snr_db']:.0f} dB", -sound["snr_db"])


def _same(ledger: Ledger, first: int, second: int) -> None:
    """The same samples twice: between splits it is said of the one that is tested on."""
    one, other = ledger.utterances[first], ledger.utterances[second]
    if one.split == other.split:
        ledger.add("duplicate_audio", second, f"as {one.id}")
        return
    later, earlier = (second, one) if SPLITS.index(other.split) > SPLITS.index(one.split) else (first, other)
    ledger.add("audio_leak", later, f"as {earlier.id} ({earlier.split})")
