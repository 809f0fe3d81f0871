"""``--fail-if``: when a report is to fail a build.

    transcription.fr > 40                                      the tuned model's value
    guard.general.delta > 1 and guard.general.verdict = worse  tuned − base, and the verdict in words
    broken > 0                                                 how many skills tuning made worse

A gate is one condition, or several joined by ``and``; it fails when all of them hold. A condition compares a skill's
number with a number (``<``, ``<=``, ``>``, ``>=``, ``=``, ``!=``), or its verdict with a word (``=`` and ``!=`` only).
After the skill's name comes which number: ``.tuned`` (the default), ``.base``, ``.delta`` or ``.n``, in the skill's own
unit. A number that could not be measured fails the gate: what was not looked at has not passed.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from parlure.errors import ParlureError

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "=": operator.eq,
}  # fmt: skip
_CONDITION = re.compile(r"\s*([\w.-]+)\s*(<=|>=|!=|<|>|==?)\s*(.+?)\s*")
_FIELDS = ("tuned", "base", "delta", "n", "verdict")
_PAIRED = ("base", "delta", "verdict")  # which need a base
_VERDICTS = ("better", "worse", "no evidence", "too few speakers")
_ALIASES = {"silence.pinned": "silence", "translation.chrf": "translation"}
_BROKEN = "broken"
_EXAMPLE = 'such as --fail-if "transcription.fr>40" or --fail-if "guard.general.delta>1"'


@dataclass(frozen=True)
class _Condition:
    name: str  # of a skill, or broken
    field: str
    compare: str
    limit: float | str

    @property
    def needs_base(self) -> bool:
        return self.name == _BROKEN or self.field in _PAIRED


@dataclass(frozen=True)
class Gate:
    """One ``--fail-if``.

    Attributes:
        expression: as the person wrote it.
    """

    expression: str
    _conditions: tuple[_Condition, ...]

    def failure(self, report: Mapping[str, Any]) -> str | None:
        """What is wrong, with the numbers found; None where the report passes.

        Args:
            report: the content of ``report.json``.
        """
        found = [(condition, _found(condition, report)) for condition in self._conditions]
        if any(value is not None and not _holds(condition, value) for condition, value in found):
            return None
        said = [f"{c.name}.{c.field}" if c.name != _BROKEN else c.name for c, _ in found]
        values = [_written(value) for _, value in found]
        return f"{self.expression}: {', '.join(f'{n} is {v}' for n, v in zip(said, values, strict=True))}"


def parse_gate(expression: str, skills: Sequence[str], *, has_base: bool) -> Gate:
    """Read an expression.

    Args:
        expression: see this module.
        skills: names of the skills that the report will have.
        has_base: whether it will compare with a base.

    Raises:
        ParlureError: it is none, names a skill that the report will not have, or needs a base where there is none.
    """
    conditions = tuple(_parsed(part, expression, skills) for part in re.split(r"\s+and\s+", expression))
    if not has_base and (needing := next((one for one in conditions if one.needs_base), None)):
        what = needing.name if needing.name == _BROKEN else f"{needing.name}.{needing.field}"
        raise ParlureError(
            f"--fail-if {expression}: {what} needs a base to compare with", "add --against base, or another MODEL"
        )
    return Gate(expression, conditions)


def failures(report: Mapping[str, Any], expressions: Sequence[str]) -> list[str]:
    """What each expression that fails has found.

    Args:
        report: the content of ``report.json``.
        expressions: see this module.

    Raises:
        ParlureError: see :func:`parse_gate`.
    """
    has_base = "base" in report["systems"]
    gates = [parse_gate(expression, list(report["skills"]), has_base=has_base) for expression in expressions]
    return [failure for gate in gates if (failure := gate.failure(report)) is not None]


def _parsed(part: str, expression: str, skills: Sequence[str]) -> _Condition:
    match = _CONDITION.fullmatch(part)
    if match is None:
        raise ParlureError(f"--fail-if {expression} is not a comparison", _EXAMPLE)
    quantity, compare, limit = match.groups()
    name, field = _resolved(quantity, skills, expression)
    compare = "=" if compare == "==" else compare
    if field == "verdict":
        if limit not in _VERDICTS or compare not in ("=", "!="):
            raise ParlureError(
                f"--fail-if {expression}: a verdict is compared with = or != to a word",
                f"the verdicts are {', '.join(_VERDICTS)}",
            )
        return _Condition(name, field, compare, limit)
    try:
        number = float(limit)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ParlureError(f"--fail-if {expression}: {limit} is not a number", _EXAMPLE)
    return _Condition(name, field, compare, number)


def _resolved(quantity: str, skills: Sequence[str], expression: str) -> tuple[str, str]:
    """The skill that a quantity is of, and which of its fields."""
    if quantity == _BROKEN:
        return _BROKEN, "n"
    head, _, field = quantity.rpartition(".")
    for name, wanted in ((quantity, "tuned"), (head, field)):
        name = _ALIASES.get(name, name)
        if name in skills and wanted in _FIELDS:
            return name, wanted
    known = [*skills, _BROKEN]
    close = get_close_matches(quantity, known, n=1, cutoff=0.6)
    meant = f"did you mean {close[0]}? " if close else ""
    raise ParlureError(
        f"--fail-if {expression}: this report has no {quantity}",
        f"{meant}it has {', '.join(known)}, each with {', '.join('.' + one for one in _FIELDS)}",
    )


def _found(condition: _Condition, report: Mapping[str, Any]) -> float | str | None:
    if condition.name == _BROKEN:
        return len(report["broken"])
    skill = report["skills"].get(condition.name)
    if skill is None:
        return None
    if condition.field == "verdict":
        return str(skill["verdict"])
    values: dict[str, float | None] = {
        system: skill[system]["value"] for system in ("tuned", "base") if system in skill
    }
    if condition.field == "delta":
        tuned, base = values["tuned"], values["base"]
        return None if tuned is None or base is None else tuned - base
    if condition.field == "n":
        return int(skill["tuned"]["n"])
    return values[condition.field]


def _holds(condition: _Condition, value: float | str) -> bool:
    return _OPERATORS[condition.compare](value, condition.limit)


def _written(value: float | str | None) -> str:
    if value is None:
        return "not measured"
    return value if isinstance(value, str) else f"{value:.4g}"
