"""A report → ``report.html``: one file that a person reads, with its figures, sound and style inside.

It asks nothing of a network or of another file. Every text that came from outside (transcripts, names, model paths)
goes through :func:`html.escape` on its way in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from parlure.scoring.page.hero import cautions_section, hero_section
from parlure.scoring.page.method import method_section
from parlure.scoring.page.rates import durations_section, rates_section, speakers_section
from parlure.scoring.page.skills import skills_section
from parlure.scoring.page.style import STYLE
from parlure.scoring.page.utterances import utterances_section
from parlure.scoring.page.verdict import verdict_sentence
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
    sections = (
        hero_section(counted, report),
        cautions_section(report),
        speakers_section(report),
        rates_section(report),
        skills_section(report),
        durations_section(report),
        utterances_section(counted, tuple(report["systems"]), report["headline_profile"], clip),
        method_section(report),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(headline)} – parlure report</title>"
        f'<meta name="description" content="{escape(sentence)}"><style>{STYLE}</style></head>\n<body><main>'
        + "\n".join(section for section in sections if section)
        + "\n<footer>Made by parlure. The numbers are in report.json, the evidence in utterances.jsonl.</footer>"
        "</main></body></html>\n"
    )
