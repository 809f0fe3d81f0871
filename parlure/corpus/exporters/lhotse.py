"""Corpus → Lhotse manifests, for each split that has utterances ``recordings``, ``supervisions`` and ``cuts``.

``cuts_train.jsonl.gz`` holds a ``MonoCut`` for each utterance (a ``MultiCut`` where it is the mean of all channels),
with one supervision over its whole length; ``recordings_train.jsonl.gz`` and ``supervisions_train.jsonl.gz`` say the
same in Lhotse's two halves, supervisions starting relative to their recordings. Recordings stay where they are and are
named by absolute paths. Nothing of an utterance is lost: ``session``, ``task``, ``prompt``, ``segments`` and tags are
``custom`` fields, and the tag ``gender=…`` is Lhotse's own field.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import SPLITS, Corpus, Utterance
from parlure.corpus.naming import recording_names
from parlure.corpus.readers.lhotse import OWN_KEYS
from parlure.corpus.readers.tags import metadata_of
from parlure.speech.audio import probe

Json = Mapping[str, Any]
_FIELDS = ("id", "recording_id", "start", "duration", "channel", "text", "language", "speaker", "alignment", "custom")


def export_lhotse(corpus: Corpus, out: Path) -> None:
    """Write the manifests.

    Raises:
        AudioError: a recording is missing or is not audio.
    """
    out.mkdir(parents=True, exist_ok=True)
    names = recording_names((Path(utterance.recording) for utterance in corpus.utterances), out)
    recordings = {str(path): _recording(path, name) for path, name in names.items()}
    for split in SPLITS:
        utterances = corpus.select(split)
        if utterances:
            _write_split(out, split, utterances, recordings)


def _write_split(out: Path, split: str, utterances: Sequence[Utterance], recordings: Mapping[str, Json]) -> None:
    used = dict.fromkeys(utterance.recording for utterance in utterances)
    _write(out / f"recordings_{split}.jsonl.gz", (recordings[recording] for recording in used))
    with_recordings = [(utterance, recordings[utterance.recording]) for utterance in utterances]
    _write(out / f"supervisions_{split}.jsonl.gz", (_supervision(*pair) for pair in with_recordings))
    _write(out / f"cuts_{split}.jsonl.gz", (_cut(*pair) for pair in with_recordings))


def _write(path: Path, rows: Iterable[Json]) -> None:
    # mtime: the same corpus gives the same bytes
    with path.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        for row in rows:
            packed.write((json.dumps(row, ensure_ascii=False) + "\n").encode())


def _recording(path: Path, name: str) -> Json:
    info = probe(path)
    n_samples, channels = round(info.duration_s * info.sample_rate), list(range(info.n_channels))
    return {
        "id": name,
        "sources": [{"type": "file", "channels": channels, "source": str(path)}],
        "sampling_rate": info.sample_rate,
        "num_samples": n_samples,
        "duration": n_samples / info.sample_rate,
        "channel_ids": channels,
    }


def _supervision(utterance: Utterance, recording: Json) -> dict[str, Any]:
    """The utterance on its recording."""
    metadata, tags = metadata_of(utterance.tags, (*OWN_KEYS, *_FIELDS))
    own = utterance.to_json() | {"tags": tags, "task": None if utterance.task == "transcribe" else utterance.task}
    custom = {**{key: own[key] for key in OWN_KEYS if own[key]}, **metadata}
    given = {
        "id": utterance.id,
        "recording_id": recording["id"],
        "start": utterance.start,
        "duration": _duration(utterance, recording),
        "channel": _channel(utterance, recording),
        "text": utterance.text,
        "language": utterance.language,
        "speaker": utterance.speaker,
        "gender": custom.pop("gender", None),
        "custom": custom or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _cut(utterance: Utterance, recording: Json) -> Json:
    channel = _channel(utterance, recording)
    return {
        "id": utterance.id,
        "start": utterance.start,
        "duration": _duration(utterance, recording),
        "channel": channel,
        "supervisions": [{**_supervision(utterance, recording), "start": 0.0}],
        "recording": recording,
        "type": "MultiCut" if isinstance(channel, list) else "MonoCut",
    }


def _duration(utterance: Utterance, recording: Json) -> float:
    """Seconds, of which none lies past the recording's end, which a manifest gives to the microsecond."""
    return round(min(utterance.end, float(recording["duration"])) - utterance.start, 9)


def _channel(utterance: Utterance, recording: Json) -> int | list[int]:
    if utterance.channel is not None or len(recording["channel_ids"]) == 1:
        return utterance.channel or 0
    return list(recording["channel_ids"])
