"""Corpus → Kaldi data folders, one for each split that has utterances: ``train``, ``dev``, ``test``.

Each holds ``wav.scp``, ``segments``, ``text``, ``utt2spk``, ``spk2utt``, ``utt2lang``, ``reco2file_and_channel`` (which
names the session) and, where the tag ``gender=…`` says it of every speaker, ``spk2gender``; sorted as Kaldi wants it (C
locale, utterances by speaker). Kaldi reads mono 16-bit PCM WAV: any other recording, and each channel that is wanted of
one with several, is written so to ``audio/``.

What Kaldi cannot hold: phrases inside an utterance, previous text, the task, tags but gender, white space in names (the
name is then replaced by a safe one), runs of white space in a text, and white space in it but plain spaces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from parlure.corpus.exporters.recordings import Source, mono_files, unique_name
from parlure.corpus.manifest import SPLITS, Corpus, Utterance
from parlure.corpus.naming import safe_name

_GENDERS = {"male": "m", "m": "m", "female": "f", "f": "f"}
# between speaker and utterance in an id: low in ASCII, so that the order by utterances is the order by speakers
_SEPARATORS = ("-", "--", "!")


def export_kaldi(corpus: Corpus, out: Path) -> None:
    """Write the data folders.

    Raises:
        AudioError: a recording that has to be converted cannot be read.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = mono_files(corpus.utterances, out, lambda form, kind: form in ("WAV", "WAVEX") and kind == "PCM_16", ".wav")
    for split in SPLITS:
        utterances = corpus.select(split)
        if utterances:
            _write_folder(out / split, utterances, files)


def _write_folder(folder: Path, utterances: Sequence[Utterance], files: Mapping[Source, tuple[str, Path]]) -> None:
    folder.mkdir(exist_ok=True)
    ids, recordings = _ids(utterances), _recordings(utterances, files)
    tables: dict[str, dict[str, str]] = defaultdict(dict)
    of_speaker: dict[str, list[str]] = defaultdict(list)
    for utterance in utterances:
        key, speaker = ids[utterance.id], _speaker(utterance) or ids[utterance.id]
        recording = recordings[utterance.recording, utterance.channel, utterance.session]
        call = recording if utterance.session is None else _word(utterance.session)
        tables["wav.scp"][recording] = str(files[utterance.recording, utterance.channel][1])
        tables["reco2file_and_channel"][recording] = f"{call} {'B' if utterance.channel == 1 else 'A'}"
        tables["segments"][key] = f"{recording} {_seconds(utterance.start)} {_seconds(utterance.end)}"
        tables["text"][key] = " ".join(utterance.text.split())
        tables["utt2spk"][key] = speaker
        tables["utt2lang"][key] = utterance.language
        tables["spk2gender"][speaker] = tables["spk2gender"].get(speaker) or _gender(utterance.tags)
        of_speaker[speaker].append(key)
    tables["spk2utt"] = {speaker: " ".join(sorted(keys)) for speaker, keys in of_speaker.items()}
    if not all(tables["spk2gender"].values()):
        del tables["spk2gender"]
    for name, pairs in tables.items():
        _write_table(folder / name, pairs)


def _write_table(path: Path, pairs: Mapping[str, str]) -> None:
    """Lines in the order of their bytes, which Python's order of strings is."""
    lines = (f"{key} {pairs[key]}".rstrip(" ") + "\n" for key in sorted(pairs))
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _ids(utterances: Iterable[Utterance]) -> dict[str, str]:
    """Kaldi's utterance ids, each with its speaker in front, by parlure's.

    Kaldi wants one order by utterance and by speaker. Where names of speakers begin with one another and a dash
    (``ann``, ``ann-marie``), a dash behind them does not do, and what sorts lower is taken.
    """
    keys: dict[str, str] = {}
    for separator in _SEPARATORS:
        keys, speakers = {}, {}
        for utterance in utterances:
            name, speaker = _word(utterance.id), _speaker(utterance)
            prefix = "" if speaker is None else speaker + separator
            keys[utterance.id] = name if name.startswith(prefix) else prefix + name
            speakers[keys[utterance.id]] = speaker or keys[utterance.id]
        agree = sorted(speakers) == sorted(speakers, key=lambda key: (speakers[key], key))
        if agree and len(speakers) == len(keys):
            break
    return keys


def _recordings(
    utterances: Iterable[Utterance], files: Mapping[Source, tuple[str, Path]]
) -> dict[tuple[str, int | None, str | None], str]:
    """Ids by recording, channel and session; other ones than the session's, as an equal one says that none is known."""
    ids: dict[tuple[str, int | None, str | None], str] = {}
    taken: set[str] = set()
    for utterance in utterances:
        name, _ = files[utterance.recording, utterance.channel]
        same = utterance.session is not None and _word(utterance.session) == name
        key = (utterance.recording, utterance.channel, utterance.session)
        if key not in ids:
            ids[key] = unique_name(f"{name}-A" if same else name, taken)
    return ids


def _speaker(utterance: Utterance) -> str | None:
    return None if utterance.speaker is None else _word(utterance.speaker)


def _gender(tags: Iterable[str]) -> str:
    said = (tag.removeprefix("gender=").lower() for tag in tags if tag.startswith("gender="))
    return next((_GENDERS[one] for one in said if one in _GENDERS), "")


def _word(name: str) -> str:
    """A name without white space, which separates the fields of Kaldi's files."""
    return name if name.split() == [name] else safe_name(name)


def _seconds(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
