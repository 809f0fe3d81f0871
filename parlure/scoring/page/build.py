"""A report → ``report.html``: one file that a person reads, with its figures, sound and style inside.

It asks nothing of a network or of another file. Every text that came from outside (transcripts, names, model paths)
goes through :func:`html.escape` on its way in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from parlure.scoring.page.beyond import beyond_section
from parlure.scoring.page.cards import cards_section, telling
from parlure.scoring.page.document import document
from parlure.scoring.page.evidence import evidence_section
from parlure.scoring.page.hero import broken_section, cautions_section, hero_section
from parlure.scoring.page.marks import in_order
from parlure.scoring.page.method import method_section
from parlure.scoring.page.rates import rates_section
from parlure.scoring.page.skills import skills_section
from parlure.scoring.page.slices import slices_section, speakers_section
from parlure.scoring.page.training import training_section
from parlure.scoring.page.verdict import verdict_sentence
from parlure.scoring.page.words import words_section
from parlure.scoring.utterances import ScoredUtterance
from parlure.speech.audio import Samples


def report_page(
    utterances: Sequence[ScoredUtterance], report: Mapping[str, Any], clip: Callable[[str], Samples] | None = None
) -> str:
    """The whole page.

    Args:
        utterances: what the report was built from.
        report: as :func:`parlure.scoring.report.build_report` returns it.
        clip: utterance id → its 16 kHz mono samples, embedded as players beside the utterances shown; None for none.

    Raises:
        ParlureError: matplotlib, or with ``clip`` soundfile, is not installed.
    """
    headline, sentence, _ = verdict_sentence(report)
    counted = [utterance for utterance in utterances if utterance.task == "transcribe"]
    report = dict(report) | {"systems": {name: report["systems"][name] for name in in_order(report["systems"])}}
    systems, profile = tuple(report["systems"]), report["headline_profile"]
    cards = telling(counted, systems, profile)
    on_cards = frozenset(utterance.id for group in cards.values() for utterance in group)
    sections = (
        hero_section(counted, report),
        broken_section(report),
        cautions_section(report),
        skills_section(report),
        rates_section(report),
        speakers_section(report),
        slices_section(report),
        beyond_section(report),
        words_section(counted, systems, profile),
        cards_section(cards, systems, profile, clip),
        evidence_section(counted, systems, profile, clip, on_cards),
        training_section(report),
        method_section(report),
    )
    return document(headline, sentence, sections, "The numbers are in report.json, the evidence in utterances.jsonl.")
