"""A corpus and its measures → the distributions that ``check.html`` draws and ``check.json`` sums up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parlure.corpus.check.listening import span_of
from parlure.corpus.check.text import holds_word
from parlure.corpus.check.timing import characters_per_s
from parlure.corpus.manifest import SPLITS, Corpus

_PERCENTILES = (5, 25, 50, 75, 95)


@dataclass
class Distributions:
    """Values of every utterance, as far as they are known.

    Attributes:
        duration_s: by split.
        rate: characters a second.
        level_db: RMS, dB of full scale.
        snr_db: as estimated.
        bandwidth_hz: where the spectrum ends.
        speaker_h: hours by speaker.
        characters: how often each is written.
    """

    duration_s: dict[str, list[float]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    rate: list[float] = field(default_factory=list)
    level_db: list[float] = field(default_factory=list)
    snr_db: list[float] = field(default_factory=list)
    bandwidth_hz: list[float] = field(default_factory=list)
    speaker_h: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    characters: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Percentiles of each, speakers' hours, characters by how often they occur."""
        values = {
            **{f"duration_s.{split}": self.duration_s[split] for split in SPLITS},
            "characters_per_s": self.rate, "level_db": self.level_db, "snr_db": self.snr_db,
            "bandwidth_hz": self.bandwidth_hz,
        }  # fmt: skip
        percentiles = {
            name: dict(zip(_PERCENTILES, np.percentile(some, _PERCENTILES).round(3).tolist(), strict=True))
            for name, some in values.items()
            if some
        }
        by_hours = sorted(self.speaker_h.items(), key=lambda row: (-row[1], row[0]))
        return {
            "percentiles": {name: {f"p{p}": value for p, value in of.items()} for name, of in percentiles.items()},
            "hours_by_speaker": {name: round(hours, 4) for name, hours in by_hours},
            "characters": dict(self.characters.most_common()),
        }


def distributions(corpus: Corpus, measured: Mapping[str, Mapping[str, Any]]) -> Distributions:
    """Collect them.

    Args:
        corpus: the utterances.
        measured: by recording; empty where no audio was read.
    """
    found = Distributions()
    for one in corpus.utterances:
        found.duration_s[one.split].append(one.duration_s)
        found.characters.update(one.text)
        if holds_word(one.text):
            found.rate.append(characters_per_s(one))
        if one.speaker is not None:
            found.speaker_h[one.speaker] += one.duration_s / 3600
        sound = measured.get(one.recording, {}).get("spans", {}).get(span_of(one).key, {"error": []})
        if "error" in sound:
            continue
        if sound["rms"] > 0:
            found.level_db.append(20.0 * float(np.log10(sound["rms"])))
        for name, values in (("snr_db", found.snr_db), ("bandwidth_hz", found.bandwidth_hz)):
            if sound[name] is not None:
                values.append(sound[name])
    return found
