"""Corpus → NVIDIA NeMo manifests, one for each split that has utterances: ``train_manifest.json`` and so on.

NeMo's keys are ``audio_filepath`` (relative to the manifest if it lies near, else absolute), ``offset``, ``duration``,
``text``, ``speaker``, ``lang``, ``source_lang``, ``target_lang`` and ``taskname``. What it does not know is there under
parlure's names (``id``, ``session``, ``split``, ``segments``, ``prompt``, ``tags``), which NeMo passes over; tags such
as ``age=twenties`` are keys of their own. Nothing of an utterance is lost but its channel:

NeMo does not take one channel of a recording by its manifest. Each channel that is wanted of a recording with several,
and recordings in formats that libsndfile does not read, are written to ``audio/`` as mono FLAC.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parlure.corpus.exporters.recordings import mono_files
from parlure.corpus.manifest import SPLITS, Corpus, Utterance, stored
from parlure.corpus.readers.nemo import RESERVED
from parlure.corpus.readers.tags import metadata_of


def export_nemo(corpus: Corpus, out: Path) -> None:
    """Write the manifests.

    Raises:
        AudioError: a recording that has to be converted cannot be read.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = mono_files(corpus.utterances, out, lambda *_: True, ".flac")
    for split in SPLITS:
        utterances = corpus.select(split)
        if not utterances:
            continue
        with (out / f"{split}_manifest.json").open("w", encoding="utf-8", newline="\n") as file:
            for utterance in utterances:
                _, recording = files[utterance.recording, utterance.channel]
                line = _line(utterance, stored(str(recording), out))
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _line(utterance: Utterance, recording: str) -> Mapping[str, Any]:
    metadata, tags = metadata_of(utterance.tags, RESERVED)
    own = utterance.to_json()
    translated = utterance.task == "translate"
    known = {
        "audio_filepath": recording,
        "offset": utterance.start,
        "duration": round(utterance.duration_s, 6),
        "text": utterance.text,
        "speaker": utterance.speaker,
        "lang": "en" if translated else utterance.language,  # of the text
        "source_lang": utterance.language,
        "target_lang": "en" if translated else utterance.language,
        "taskname": "ast" if translated else "asr",
        **{name: own[name] for name in ("id", "session", "split", "segments", "prompt")},
        "tags": tags,
    }
    given = {name: value for name, value in known.items() if value is not None and value != []}
    return {**given, **metadata}
