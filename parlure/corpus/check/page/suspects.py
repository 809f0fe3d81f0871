"""Findings → their cards: what is wrong, what to do, and the worst examples with text and player."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from parlure.corpus.check.findings import Example, Finding
from parlure.corpus.manifest import Utterance
from parlure.errors import ParlureError
from parlure.scoring.page.marks import plural
from parlure.scoring.page.sound import audio_data_uri
from parlure.speech.audio import read_audio

SOUND_BUDGET_S = 900.0  # of all players together: about 4 MB of MP3
_PLAYERS_EACH = 3  # of a finding
_LONGEST_S = 30.0
_CODE = re.compile(r"`([^`]+)`")


class Players:
    """Clips for the page, as far as a budget goes; the same utterance is embedded once."""

    def __init__(self, utterances: Mapping[str, Utterance], budget_s: float) -> None:
        self._utterances, self._left_s = utterances, budget_s
        self._done: set[str] = set()
        self.n_left_out = 0

    def player(self, id_: str) -> str:
        """An ``<audio>`` element, a word on where it is, or nothing where the sound cannot be read."""
        if id_ in self._done:
            return '<p class="note">its player is further up</p>'
        one = self._utterances[id_]
        length_s = min(one.duration_s, _LONGEST_S)
        if length_s > self._left_s:
            self.n_left_out += 1
            return ""
        try:
            samples = read_audio(one.recording, one.start, min(one.end, one.start + _LONGEST_S), one.channel)
        except ParlureError:
            return '<p class="note">cannot be played</p>'
        self._left_s -= length_s
        self._done.add(id_)
        return f'<audio controls preload="none" src="{audio_data_uri(samples)}"></audio>'


def suspects_section(findings: tuple[Finding, ...], utterances: Mapping[str, Utterance], *, with_sound: bool) -> str:
    """A card for each finding."""
    if not findings:
        return ""
    players = Players(utterances, SOUND_BUDGET_S if with_sound else 0.0)
    cards = "".join(_card(finding, utterances, players, with_sound) for finding in findings)
    left_out = ""
    if with_sound and players.n_left_out:
        left_out = (
            f'<p class="note">{plural(players.n_left_out, "player")} left out: the page holds '
            f"{SOUND_BUDGET_S / 60:.0f} minutes of sound at most.</p>"
        )
    return f'<h2 id="suspects">What to look at</h2>{left_out}{cards}'


def _card(finding: Finding, utterances: Mapping[str, Utterance], players: Players, with_sound: bool) -> str:
    rule = finding.rule
    limit = "" if rule.threshold is None else f" ({rule.threshold:g} {rule.unit})"
    examples = "".join(
        _example(one, utterances.get(one.id), players if with_sound and place < _PLAYERS_EACH else None)
        for place, one in enumerate(finding.examples)
    )
    is_open = " open" if rule.severity == "error" else ""
    return (
        f'<details class="card" id="{escape(rule.code)}"{is_open}><summary>{escape(rule.code)} '
        f'<span class="muted">{rule.severity}, {finding.n}{escape(limit)}</span></summary>'
        f"<p>{prose(rule.explanation)}</p><p><b>What to do:</b> {prose(rule.advice)}</p>{examples}</details>"
    )


def prose(text: str) -> str:
    """A rule's sentence as HTML; what stands between backticks is code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _example(one: Example, utterance: Utterance | None, players: Players | None) -> str:
    if utterance is None:
        return f"<p>{escape(one.value)}</p>"
    player = players.player(one.id) if players else ""
    return (
        f'<article class="utterance"><header><code>{escape(one.id)}</code>'
        f'<span class="muted">{escape(one.where)}</span></header>'
        f"<dl><dt>found</dt><dd>{escape(one.value) or '–'}</dd><dt>text</dt>"
        f"<dd>{escape(utterance.text) or '<i>(no speech)</i>'}</dd></dl>{player}</article>"
    )
