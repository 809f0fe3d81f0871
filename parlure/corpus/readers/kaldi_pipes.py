"""A command of ``wav.scp`` that does no more than decode a file → that file, and the channel that it takes.

``flac -c -d -s a.flac |``, ``sph2pipe -f wav -p -c 1 a.sph |``, ``sox a.mp3 -t wav -r 16000 - |`` and the like write a
recording as Kaldi reads it. parlure decodes and resamples by itself, so the file is read and nothing is run. Whatever
changes the sound besides (speed, volume, filters, parts of it) is no such command.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from typing import NamedTuple

_SHELL = re.compile(r"[|&;<>$`(){}*?\n]")  # what a shell would do more with than split words
_SOX_VALUES = ("-t", "-r", "-b", "-c", "-e", "--type", "--rate", "--bits", "--channels", "--encoding")
_SOX_FLAGS = ("-q", "-V", "-V0", "-V1", "-V2", "--no-show-progress")
_FLAC_FLAGS = ("-c", "-d", "-s", "--stdout", "--decode", "--silent", "--totally-silent", "-cd", "-dc", "-cds", "-dcs")
_FFMPEG_VALUES = ("-i", "-v", "-loglevel", "-ar", "-ac", "-f", "-acodec", "-c:a", "-codec:a", "-threads")
_FFMPEG_FLAGS = ("-nostdin", "-hide_banner", "-vn", "-y", "-nostats")
_STDOUT = ("-", "pipe:1", "/dev/stdout")


class Piped(NamedTuple):
    """What a command decodes.

    Attributes:
        file: as the command names it.
        channel: from 0; None is all.
    """

    file: str
    channel: int | None = None


class _Words(NamedTuple):
    """A command's options with their values, and its other words; a flag's value is empty."""

    options: dict[str, str]
    others: list[str]


def decoded_by(command: str) -> Piped | None:
    """The file of a command that only decodes it; None for any other command.

    Args:
        command: an extended filename of Kaldi that ends in ``|``.
    """
    command = command.strip().removesuffix("|")
    if _SHELL.search(command):
        return None
    try:
        words = shlex.split(command)
    except ValueError:  # a quote that is not closed
        return None
    if not words:
        return None
    read = {"cat": _cat, "flac": _flac, "sph2pipe": _sph2pipe, "sox": _sox, "ffmpeg": _ffmpeg}
    reader = read.get(words[0].rpartition("/")[2])
    return None if reader is None else reader(words[1:])


def _cat(words: Sequence[str]) -> Piped | None:
    return Piped(words[0]) if len(words) == 1 and not words[0].startswith("-") else None


def _flac(words: Sequence[str]) -> Piped | None:
    found = _sorted_out(words, (), _FLAC_FLAGS)
    return Piped(found.others[0]) if found is not None and len(found.others) == 1 else None


def _sph2pipe(words: Sequence[str]) -> Piped | None:
    found = _sorted_out(words, ("-f", "-c"), ("-p", "-u", "-a"))
    if found is None or len(found.others) != 1:
        return None
    channel = found.options.get("-c")
    return Piped(found.others[0], _channel(channel)) if channel in (None, "1", "2") else None


def _sox(words: Sequence[str]) -> Piped | None:
    found = _sorted_out(words, _SOX_VALUES, _SOX_FLAGS)
    if found is None or len(found.others) < 2 or found.others[1] not in _STDOUT:
        return None
    match found.others[2:]:
        case [] | ["rate", _]:
            return Piped(found.others[0])
        case ["remix", channel] if channel.isdecimal() and channel != "0":
            return Piped(found.others[0], _channel(channel))
    return None


def _ffmpeg(words: Sequence[str]) -> Piped | None:
    found = _sorted_out(words, _FFMPEG_VALUES, _FFMPEG_FLAGS)
    if found is None or len(found.others) != 1 or found.others[0] not in _STDOUT or words.count("-i") != 1:
        return None
    return Piped(found.options["-i"])


def _channel(number: str | None) -> int | None:
    """From 0, of a number from 1."""
    return None if number is None else int(number) - 1


def _sorted_out(words: Sequence[str], with_value: Collection[str], flags: Collection[str]) -> _Words | None:
    """The words of a command; None if one of its options is neither of these."""
    options: dict[str, str] = {}
    others: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in with_value:
            value = next(rest, None)
            if value is None:
                return None
            options[word] = value
        elif word in flags:
            options[word] = ""
        elif word.startswith("-") and word not in _STDOUT:
            return None
        else:
            others.append(word)
    return _Words(options, others)
