"""Utterances that tell most → their section of ``report.html``: word-level differences and players."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from parlure.scoring.align import Op, align
from parlure.scoring.normalize import get_profile
from parlure.scoring.page.sound import audio_data_uri
from parlure.scoring.utterances import ScoredUtterance
from parlure.speech.audio import Samples

SHOWN_EACH_WAY = 10  # utterances that got better, and as many that got worse


def difference_html(operations: Sequence[Op]) -> str:
    """An alignment as escaped HTML: insertions underlined, deletions struck through, substitutions both."""
    parts = []
    for op in operations:
        said, heard = escape(op.reference or ""), escape(op.hypothesis or "")
        parts.append(
            {
                "equal": said,
                "substitute": f'<span class="sub"><del>{said}</del> <ins>{heard}</ins></span>',
                "delete": f"<del>{said}</del>",
                "insert": f"<ins>{heard}</ins>",
            }[op.kind]
        )
    return " ".join(parts)


def edits(utterance: ScoredUtterance, profile: str, system: str) -> int:
    return utterance.counts[profile][system].words.edits


def most_changed(
    utterances: Sequence[ScoredUtterance], profile: str
) -> tuple[list[ScoredUtterance], list[ScoredUtterance]]:
    """The utterances with the most errors gone, and those with the most added, from base to tuned; ties by id."""

    def change(utterance: ScoredUtterance) -> int:
        return edits(utterance, profile, "tuned") - edits(utterance, profile, "base")

    ordered = sorted(utterances, key=lambda one: (change(one), one.id))
    improved = [one for one in ordered if change(one) < 0][:SHOWN_EACH_WAY]
    worsened = sorted((one for one in ordered if change(one) > 0), key=lambda one: (-change(one), one.id))
    return improved, worsened[:SHOWN_EACH_WAY]


def most_errors(utterances: Sequence[ScoredUtterance], profile: str, system: str) -> list[ScoredUtterance]:
    """The utterances with the most errors of one system; ties by id."""
    wrong = [one for one in utterances if edits(one, profile, system)]
    return sorted(wrong, key=lambda one: (-edits(one, profile, system), one.id))[: 2 * SHOWN_EACH_WAY]


def _card(
    utterance: ScoredUtterance, systems: Sequence[str], profile: str, clip: Callable[[str], Samples] | None
) -> str:
    words = get_profile(profile).words
    said = words(utterance.reference)
    entries = f"<dt>reference</dt><dd>{escape(utterance.reference) or '<i>(no speech)</i>'}</dd>"
    for system in systems:
        difference = difference_html(align(said, words(utterance.hypotheses[system]))) or "<i>(nothing)</i>"
        entries += f"<dt>{escape(system)}</dt><dd>{difference}</dd>"
    about = [utterance.speaker or "", "" if utterance.duration_s is None else f"{utterance.duration_s:.1f} s"]
    errors = [edits(utterance, profile, system) for system in systems]
    player = ""
    if clip is not None:
        source = audio_data_uri(clip(utterance.id))
        player = f'<audio controls preload="metadata" id="clip-{escape(utterance.id)}" src="{source}"></audio>'
    return (
        f'<article class="card utterance"><header><code>{escape(utterance.id)}</code>'
        f'<span class="muted">{escape(" · ".join(part for part in about if part))}</span>'
        f'<span class="change">{" → ".join(map(str, errors))} {"error" if errors[-1] == 1 else "errors"}'
        f"</span></header>{player}<dl>{entries}</dl></article>"
    )


def telling(
    utterances: Sequence[ScoredUtterance], systems: tuple[str, ...], profile: str
) -> dict[str, list[ScoredUtterance]]:
    """Heading → about twenty utterances: those that changed most from base to tuned, or else the most wrong ones."""
    if {"base", "tuned"} <= set(systems):
        improved, worsened = most_changed(utterances, profile)
        return {"Most errors gone": improved, "Most errors added": worsened}
    return {"": most_errors(utterances, profile, systems[-1])}


def cards_section(
    groups: Mapping[str, Sequence[ScoredUtterance]],
    systems: tuple[str, ...],
    profile: str,
    clip: Callable[[str], Samples] | None,
) -> str:
    """A card for each of the utterances of :func:`telling`."""
    paired = {"base", "tuned"} <= set(systems)
    shown = ("base", "tuned") if paired else systems
    title = "What changed most" if paired else "Where the errors are"
    if not any(groups.values()):
        empty = "Base and tuned make as many errors in every utterance." if paired else "Not one word is wrong."
        return f'<h2 id="changed">{title}</h2><p>{empty}</p>'
    parts = [
        f'<h2 id="changed">{title}</h2><p class="note">Words as the profile {escape(profile)} compares them: '
        '<ins>inserted</ins>, <del>missed</del>, <span class="sub"><del>said</del> <ins>recognised</ins></span>.</p>'
    ]
    for heading, group in groups.items():
        if group:
            parts.append(f"<h3>{heading}</h3>" if heading else "")
            parts += [_card(utterance, shown, profile, clip) for utterance in group]
    return "".join(parts)
