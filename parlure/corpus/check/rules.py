"""The table of what ``parlure check`` looks for: every rule's code, severity and threshold, and what to do about it.

In goes nothing, or what a person changes of it (``code=threshold``, ``code=off``); out come rules. The codes are
published: they are never renamed. The thresholds are defaults; the sentence of each says where one comes from, and
those without a source are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from parlure.corpus.check.table import AUDIO, MANIFEST, MODEL, ROWS
from parlure.errors import ParlureError

Severity = Literal["error", "warning", "note"]
Needs = Literal["manifest", "audio", "model"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Rule:
    """Something that can be wrong with a corpus.

    Attributes:
        code: its published name.
        severity: ``error`` fails ``--strict``; ``warning`` is worth a look; ``note`` is worth knowing.
        threshold: what is beyond it is reported; None where there is nothing to set.
        unit: of the threshold, with the side on which it is reported: ``s, over``.
        explanation: one sentence on what is wrong and why it matters.
        advice: what to do.
        needs: the manifest alone, the recordings too, or a model as well.
    """

    code: str
    severity: Severity
    threshold: float | None
    unit: str
    explanation: str
    advice: str
    needs: Needs


def _rules() -> Iterable[Rule]:
    tables: tuple[tuple[Needs, ROWS], ...] = (("manifest", MANIFEST), ("audio", AUDIO), ("model", MODEL))
    for needs, rows in tables:
        for code, severity, threshold, unit, explanation, advice in rows:
            yield Rule(code, severity, threshold, unit, explanation, advice, needs)


RULES: Mapping[str, Rule] = {rule.code: rule for rule in _rules()}


def chosen_rules(changes: Iterable[str] = ()) -> dict[str, Rule]:
    """The rules that run, in the table's order.

    Args:
        changes: ``code=threshold`` or ``code=off`` each.

    Raises:
        ParlureError: there is no such rule, or it takes no such threshold.
    """
    rules = dict(RULES)
    for change in changes:
        code, _, value = (part.strip() for part in change.partition("="))
        if code not in RULES:
            close = get_close_matches(code, RULES, n=1)
            raise ParlureError(
                f"--rule {change}: there is no rule {code}",
                f"did you mean {close[0]}?" if close else "the rules are listed in docs/check.md",
            )
        if value == "off":
            rules.pop(code, None)
            continue
        rules[code] = replace(RULES[code], threshold=_threshold(RULES[code], change, value))
    return rules


def _threshold(rule: Rule, change: str, value: str) -> float:
    if rule.threshold is None:
        raise ParlureError(f"--rule {change}: {rule.code} has no threshold", f"--rule {rule.code}=off leaves it out")
    try:
        return float(value)
    except ValueError as error:
        raise ParlureError(
            f"--rule {change}: {value!r} is not a number", f"for example --rule {rule.code}={rule.threshold:g}"
        ) from error


def markdown_table(needs: Needs) -> str:
    """The rules of one kind as docs/check.md shows them."""
    lines = ["| code | severity | threshold | what is wrong | what to do |", "| --- | --- | --- | --- | --- |"]
    for rule in RULES.values():
        if rule.needs == needs:
            limit = "" if rule.threshold is None else f"{rule.threshold:g} {rule.unit}"
            lines.append(f"| `{rule.code}` | {rule.severity} | {limit} | {rule.explanation} | {rule.advice} |")
    return "\n".join(lines)
