"""Utterances that tell most → their section of ``report.html``: word-level differences and players."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO

from parlure.scoring.align import Op, align
from parlure.scoring.normalize import get_profile
from parlure.scoring.utterances import ScoredUtterance
from parlure.speech.audio import SAMPLE_RATE, Samples

SHOWN_EACH_WAY = 10  # utterances that got better, and as many that got worse

# (libsndfile format, subtype, MIME type), the first that this machine's libsndfile can write: MP3 plays in every
# browser at a tenth of the size of WAV, Ogg/Opus not in older Safari.
_FORMATS = (
    ("MP3", "MPEG_LAYER_III", "audio/mpeg"),
    ("OGG", "OPUS", "audio/ogg"),
    ("WAV", "PCM_16", "audio/wav"),
)


def audio_data_uri(samples: Samples) -> str:
    """16 kHz mono samples, shape ``(n_samples,)``, as a ``data:`` URI of MP3, else Opus, else WAV."""
    import soundfile

    for container, subtype, mime in _FORMATS:
        if not soundfile.check_format(container, subtype):
            continue
        encoded = BytesIO()
        soundfile.write(encoded, samples, SAMPLE_RATE, format=container, subtype=subtype)
        return f"data:{mime};base64,{base64.b64encode(encoded.getvalue()).decode('ascii')}"
    raise AssertionError("libsndfile always writes WAV")


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


def _edits(utterance: ScoredUtterance, profile: str, system: str) -> int:
    return utterance.counts[profile][system].words.edits


def most_changed(
    utterances: Sequence[ScoredUtterance], profile: str
) -> tuple[list[ScoredUtterance], list[ScoredUtterance]]:
    """The utterances with the most errors gone, and those with the most added, from base to tuned; ties by id."""

    def change(utterance: ScoredUtterance) -> int:
        return _edits(utterance, profile, "tuned") - _edits(utterance, profile, "base")

    ordered = sorted(utterances, key=lambda one: (change(one), one.id))
    improved = [one for one in ordered if change(one) < 0][:SHOWN_EACH_WAY]
    worsened = sorted((one for one in ordered if change(one) > 0), key=lambda one: (-change(one), one.id))
    return improved, worsened[:SHOWN_EACH_WAY]


def most_errors(utterances: Sequence[ScoredUtterance], profile: str, system: str) -> list[ScoredUtterance]:
    """The utterances with the most errors of one system; ties by id."""
    wrong = [one for one in utterances if _edits(one, profile, system)]
    return sorted(wrong, key=lambda one: (-_edits(one, profile, system), one.id))[: 2 * SHOWN_EACH_WAY]


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
    errors = [_edits(utterance, profile, system) for system in systems]
    player = ""
    if clip is not None:
        player = f'<audio controls preload="metadata" src="{audio_data_uri(clip(utterance.id))}"></audio>'
    return (
        f'<article class="card utterance"><header><code>{escape(utterance.id)}</code>'
        f'<span class="muted">{escape(" · ".join(part for part in about if part))}</span>'
        f'<span class="change">{" → ".join(map(str, errors))} {"error" if errors[-1] == 1 else "errors"}'
        f"</span></header>{player}<dl>{entries}</dl></article>"
    )


def utterances_section(
    utterances: Sequence[ScoredUtterance],
    systems: tuple[str, ...],
    profile: str,
    clip: Callable[[str], Samples] | None,
) -> str:
    """About twenty utterances: those that changed most from base to tuned, or without a base the most wrong ones."""
    shown = ("base", "tuned") if {"base", "tuned"} <= set(systems) else systems
    if shown == ("base", "tuned"):
        improved, worsened = most_changed(utterances, profile)
        groups = [("Most errors gone", improved), ("Most errors added", worsened)]
        title, empty = "What changed most", "Base and tuned make as many errors in every utterance."
    else:
        groups = [("", most_errors(utterances, profile, systems[-1]))]
        title, empty = "Where the errors are", "Not one word is wrong."
    if not any(group for _, group in groups):
        return f"<h2>{title}</h2><p>{empty}</p>"
    parts = [
        f'<h2>{title}</h2><p class="note">Words as the profile {escape(profile)} compares them: <ins>inserted</ins>, '
        '<del>missed</del>, <span class="sub"><del>said</del> <ins>recognised</ins></span>.</p>'
    ]
    for heading, group in groups:
        if group:
            parts.append(f"<h3>{heading}</h3>" if heading else "")
            parts += [_card(utterance, shown, profile, clip) for utterance in group]
    return "".join(parts)
