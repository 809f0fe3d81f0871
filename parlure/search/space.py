"""What may vary from trial to trial: fields of a recipe with their ranges or choices, and a recipe made of one draw.

A space is written like a recipe, with ``LOW..HIGH``, ``LOW..HIGH,log`` or ``A|B|C`` in place of values. One name is no
field of a recipe: ``adapter.alpha_over_r``, for what alpha is good for depends on r.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.recipe import parse_recipe
from parlure.sections import Recipe

RATIO = "adapter.alpha_over_r"
# what decides how a trial is judged, what it is, or where its numbers go: trials that differ there cannot be compared
_FIXED = {
    "data": "trials on other data cannot be compared",
    "evaluation": "it decides how trials are judged, which must be the same for all",
    "guard": "it decides how trials are judged, which must be the same for all",
    "decoding": "it decides how trials are judged, which must be the same for all",
    "tracking": "it changes nothing that is learnt",
}
_SEED = "training.seed"
_FORMS = "LOW..HIGH, LOW..HIGH,log or A|B|C, as in training.learning_rate=1e-5..1e-3,log"

Value = str | int | float | bool


@dataclass(frozen=True)
class Span:
    """Numbers from ``low`` to ``high``, both of which can be drawn; on a logarithmic scale with ``log``."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def text(self) -> str:
        """As it is written in a space."""
        return f"{self.low:g}..{self.high:g}" + (",log" if self.log else "")


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    values: tuple[Value, ...]

    def text(self) -> str:
        """As it is written in a space."""
        return "|".join(f"{value:g}" if isinstance(value, float) else str(value) for value in self.values)


Space = dict[str, Span | Choice]


def default_space(recipe: Recipe) -> Space:
    """What is searched when nothing is said: docs/tune.md says where the ranges come from."""
    if recipe.adapter.method == "full":
        return {"training.learning_rate": Span(2e-6, 1e-4, log=True)}
    return {
        "training.learning_rate": Span(2e-5, 1e-3, log=True),
        "adapter.r": Choice((8, 16, 32, 64)),
        RATIO: Choice((1.0, 2.0, 4.0)),
        "adapter.dropout": Choice((0.0, 0.05, 0.1)),
    }


def read_space(path: Path | None, options: Sequence[str], recipe: Recipe) -> Space:
    """The space of a TOML file and of options ``section.field=RANGE``, which count more; without both the default one.

    Raises:
        ParlureError: the file cannot be read, a range is none, or the recipe cannot take its values.
    """
    texts: dict[str, Any] = {} if path is None else _file(path)
    for option in options:
        key, equals, text = option.partition("=")
        if not equals:
            raise ParlureError(f"--search {option} is not section.field=RANGE", _FORMS)
        texts[key.strip()] = text.strip()
    space = {key: _parsed(key, value) for key, value in texts.items()} if texts else default_space(recipe)
    _check(space, recipe)
    return space


def applied(recipe: Recipe, draw: Mapping[str, Any], name: str = "the space") -> Recipe:
    """The recipe with a draw's values in it.

    Raises:
        ParlureError: it cannot take them.
    """
    tree = recipe.model_dump()
    for key, value in draw.items():
        section, _, field = key.partition(".")
        tree.setdefault(section, {})[field] = value
    if (ratio := tree["adapter"].pop("alpha_over_r", None)) is not None:
        tree["adapter"]["alpha"] = ratio * tree["adapter"]["r"]
    return parse_recipe(tree, name)


def drawn_of(recipe: Recipe, space: Space) -> dict[str, Value] | None:
    """The recipe's own values as a draw, or None if one is not in the space."""
    tree = recipe.model_dump()
    tree["adapter"]["alpha_over_r"] = recipe.adapter.alpha / recipe.adapter.r
    draw = {}
    for key, one in space.items():
        section, _, field = key.partition(".")
        value = tree[section][field]
        if not (value in one.values if isinstance(one, Choice) else one.low <= value <= one.high):
            return None
        draw[key] = value
    return draw


def _file(path: Path) -> dict[str, Any]:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ParlureError(f"there is no space {path}", "without --space, a usual one is searched") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParlureError(f"{path} is not valid TOML: {error}", 'ranges need quotes, as in r = "8|16|32"') from error
    flat: dict[str, Any] = {}
    for section, fields in tree.items():
        if not isinstance(fields, dict):
            raise ParlureError(f"{path}: {section} is not in a section", "write it as a recipe is: [training]")
        flat |= {f"{section}.{field}": value for field, value in fields.items()}
    return flat


def _parsed(key: str, value: Any) -> Span | Choice:
    wrong = ParlureError(f"{key} = {value!r} is no range", _FORMS)
    if isinstance(value, list):
        if not value or any(isinstance(one, list | dict) for one in value):
            raise wrong
        return Choice(tuple(value))
    if not isinstance(value, str):
        raise wrong
    if "|" in value:
        return Choice(tuple(_value(part) for part in value.split("|")))
    ends, _, scale = value.partition(",")
    low, dots, high = ends.partition("..")
    try:
        span = Span(float(low), float(high), scale.strip() == "log", not set(".eE") & set(low.strip() + high.strip()))
    except ValueError as error:
        raise wrong from error
    is_span = dots and scale.strip() in ("", "log") and math.isfinite(span.low) and span.low < span.high < math.inf
    if not is_span or (span.log and span.low <= 0):
        raise wrong
    return span


def _value(text: str) -> Value:
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
    return value if isinstance(value, str | int | float | bool) else text.strip()


def _check(space: Space, recipe: Recipe) -> None:
    """See to it that trials can be compared, and that the recipe takes both ends of every span and every choice."""
    for key, one in space.items():
        section = key.partition(".")[0]
        if section in _FIXED or key == _SEED:
            why = "the best of several seeds is luck" if key == _SEED else _FIXED[section]
            raise ParlureError(f"{key} is not searched: {why}", "search fields of model, adapter, training, targets, …")
        ends = one.values if isinstance(one, Choice) else (int(v) if one.whole else v for v in (one.low, one.high))
        for value in ends:
            applied(recipe, {key: value})
    if RATIO in space and "adapter.alpha" in space:
        raise ParlureError("adapter.alpha and adapter.alpha_over_r are the same twice", "search one of them")
