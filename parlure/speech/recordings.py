"""Spans of the same few recordings, one after the other: the last ones read are held open."""

from __future__ import annotations

from collections import OrderedDict

import soundfile

from parlure.speech.audio import (
    AudioError,
    AudioInfo,
    Samples,
    open_sound,
    probe,
    read_channels,
    seeks_exactly,
    span_of,
)

N_OPEN = 16  # recordings held open
N_KNOWN = 10_000  # recordings of which the header is remembered


class Recordings:
    """Reads as :func:`parlure.speech.audio.probe` and ``read_channels`` do, without opening a recording for each span.

    A recording is taken not to change meanwhile. What is read by PyAV, or differently from another beginning (mp3), is
    opened anew each time.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[str, soundfile.SoundFile] = OrderedDict()
        self._known: OrderedDict[str, tuple[AudioInfo, bool]] = OrderedDict()  # and whether it can be held open

    def info(self, path: str) -> AudioInfo:
        """As :func:`parlure.speech.audio.probe`."""
        return self._look(path)[0]

    def read(self, path: str, start_s: float, end_s: float) -> tuple[Samples, int]:
        """As :func:`parlure.speech.audio.read_channels`."""
        _, is_exact = self._look(path)
        sound = self._held(path) if is_exact else None
        if sound is None:
            return read_channels(path, start_s, end_s)
        try:
            return span_of(path, sound, start_s, end_s)
        except AudioError:
            self.forget(path)  # whatever state it is in
            raise

    def forget(self, path: str) -> None:
        """Close a recording, and drop what is known of it."""
        self._known.pop(path, None)
        sound = self._open.pop(path, None)
        if sound is not None:
            sound.close()

    def _look(self, path: str) -> tuple[AudioInfo, bool]:
        if path not in self._known:
            info, sound = probe(path), self._held(path)
            self._known[path] = info, sound is not None
            if len(self._known) > N_KNOWN:
                self._known.popitem(last=False)
        return self._known[path]

    def _held(self, path: str) -> soundfile.SoundFile | None:
        """The open recording; None if it cannot be held open."""
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path]
        sound = open_sound(path)
        if sound is None:
            return None
        if not seeks_exactly(sound):
            sound.close()
            return None
        self._open[path] = sound
        if len(self._open) > N_OPEN:
            self._open.popitem(last=False)[1].close()
        return sound
