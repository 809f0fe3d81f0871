"""Scored utterances of many speakers, for the tests of reports and of their page."""

from __future__ import annotations

import random

from parlure.scoring.report import build_report
from parlure.scoring.utterances import score_utterances

SPOKEN = "bonjour allô on se rappelle demain vers 14h30 l'été c'est correct là 20 % pis"
WORDS = SPOKEN.split()
EVIL = "<script>alert(1)</script> & \"<img src=x onerror='alert(2)'>"


def _noisy(random_, words, share):
    kept = [random_.choice(WORDS) if random_.random() < share else word for word in words]
    return " ".join(word for word in kept if random_.random() > share / 4)


def rows_of(n_speakers=12, *, base=True, language="fr"):
    random_ = random.Random(5)
    rows = []
    for speaker in range(n_speakers):
        for number in range(6):
            words = random_.choices(WORDS, k=random_.randint(2, 12))
            hypotheses = {"base": _noisy(random_, words, 0.5)} if base else {}
            rows.append(
                {
                    "id": f"s{speaker}-{number}",
                    "speaker": f"speaker {speaker}",
                    "session": f"call {speaker}",
                    "duration_s": 0.5 + len(words),
                    "language": language,
                    "task": "transcribe",
                    "tags": ["phone"],
                    "reference": " ".join(words).capitalize() + ".",
                    "hypotheses": hypotheses | {"tuned": _noisy(random_, words, 0.15)},
                    "no_speech_prob": {"tuned": 0.01},
                }
            )
    return rows


def systems_of(rows):
    return {name: {"model": "runs/x", "hash": "abc", "decode": {"beam_size": 5}} for name in rows[0]["hypotheses"]}


def report_of(rows, warnings=()):
    scored = score_utterances(rows, ["raw", "basic", "fr"])
    return scored, build_report(scored, systems_of(rows), "fr", warnings)
