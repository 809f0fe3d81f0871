"""The recipe: a TOML file → frozen, checked settings (:mod:`parlure.sections`).

Unknown keys are errors that name the nearest known one; all that is wrong with a recipe is said at once.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from parlure.errors import ParlureError
from parlure.sections import Recipe


def load_recipe(
    path: str | Path, overrides: Sequence[str] = (), corpus: str | None = None, model: str | None = None
) -> Recipe:
    """Read a recipe file.

    Args:
        path: the TOML file; a relative corpus or term list in it, of whatever section, is relative to this file.
        overrides: ``section.field=value``, the value in TOML; a bare word is text.
        corpus: takes the place of ``data.corpus``.
        model: takes the place of ``model.base``.

    Raises:
        ParlureError: the file is missing or no TOML, or a key or value is wrong.
    """
    path = Path(path)
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except IsADirectoryError as error:
        raise ParlureError(
            f"{path} is a folder, not a recipe", f"a run keeps its recipe in {path / 'recipe.toml'}"
        ) from error
    except FileNotFoundError as error:
        raise ParlureError(
            f"there is no recipe {path}", 'write one that names a corpus: [data] corpus = "corpus"'
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParlureError(
            f"{path} is not valid TOML: {error}", 'text needs quotes, as in corpus = "corpus"'
        ) from error
    tree.setdefault("data", {})
    _place_paths(tree, lambda folder: str(path.parent / folder))
    for override in overrides:
        _override(tree, override)
    if corpus is not None:
        _put(tree, "data", "corpus", corpus)
    if model is not None:
        _put(tree, "model", "base", model)
    return parse_recipe(tree, str(path))


def parse_recipe(tree: Mapping[str, Any], name: str) -> Recipe:
    """Check a tree of plain values.

    Raises:
        ParlureError: naming every unknown key (with the nearest known one) and every wrong value at once.
    """
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        problems = [_problem(list(map(str, item["loc"])), item) for item in error.errors()]
        raise ParlureError(
            f"{name}: {'; '.join(message for message, _ in problems)}",
            "; ".join(dict.fromkeys(hint for _, hint in problems if hint)),
        ) from error


def dump_recipe(recipe: Recipe) -> str:
    """The resolved recipe as TOML."""
    lines = []
    for section, values in recipe.model_dump().items():
        lines.append(f"[{section}]")
        # JSON's numbers, strings, booleans and arrays of strings are TOML's too
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
        lines.append("")
    return "\n".join(lines)


def resolved(recipe: Recipe) -> Recipe:
    """The same recipe with absolute paths, which it can be read with from any folder."""
    tree = recipe.model_dump()
    _place_paths(tree, lambda folder: str(Path(folder).resolve()))
    base = recipe.model.base
    if base != "nano" and Path(base).is_dir():
        tree["model"]["base"] = str(Path(base).resolve())
    return Recipe.model_validate(tree)


def split_guard(guard: str) -> tuple[str, str]:
    """``NAME=FOLDER`` or ``FOLDER`` → name, which may be empty, and folder."""
    name, equals, folder = guard.partition("=")
    return (name, folder) if equals else ("", guard)


_PATHS = (
    ("data", "corpus"),
    ("replay", "corpus"),
    ("targets", "terms"),
    ("augmentation", "reverberation_folder"),
    ("augmentation", "noise_folder"),
)


def _place_paths(tree: dict[str, Any], place: Callable[[str], str]) -> None:
    """Apply a function to every path to data in a tree of plain values, which may be wrong in any way."""
    for section, field in _PATHS:
        values = tree.get(section)
        if isinstance(values, dict) and isinstance(values.get(field), str) and values[field]:
            values[field] = place(values[field])
    values = tree.get("guard")
    if isinstance(values, dict) and isinstance(values.get("corpora"), list | tuple):
        values["corpora"] = [_place_guard(one, place) if isinstance(one, str) else one for one in values["corpora"]]


def _place_guard(guard: str, place: Callable[[str], str]) -> str:
    name, folder = split_guard(guard)
    return f"{name}={place(folder)}" if "=" in guard else place(folder)


def differences(before: Recipe, after: Recipe) -> list[str]:
    """Where two recipes differ, as ``section.field``.

    Not in where corpora lie, for they may have been moved, nor in where metrics go.
    """
    old, new = resolved(before).model_dump(), resolved(after).model_dump()
    keys = [
        (section, field)
        for section, fields in new.items()
        for field in fields
        if section != "tracking" and (section, field) not in _PATHS and field != "corpora"
    ]
    return [f"{section}.{field}" for section, field in keys if old[section][field] != new[section][field]]


def _override(tree: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    section, dot, field = key.strip().partition(".")
    if not (equals and dot and field):
        raise ParlureError(f"--set {override} is not section.field=value", "for example --set training.epochs=5")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    _put(tree, section, field, parsed)


def _put(tree: dict[str, Any], section: str, field: str, value: Any) -> None:
    values = tree.setdefault(section, {})
    if isinstance(values, dict):  # what is no section is refused with the rest
        values[field] = value


def _problem(place: list[str], item: Mapping[str, Any]) -> tuple[str, str]:
    key = ".".join(place)
    if item["type"] == "extra_forbidden":
        known = _known_keys()
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        siblings = [name for name in known if name.startswith(place[0] + ".")] or list(Recipe.model_fields)
        return f"unknown key {key}", f"did you mean {near[0]}?" if near else f"known keys: {', '.join(siblings)}"
    if item["type"] == "missing":
        return f"{key} is missing", f"add it to the recipe, or give --set {key}=…" if len(
            place
        ) > 1 else f"add a section [{key}]"
    if len(place) == 1:
        return f"{key} = {item['input']!r} is not a section", f"write [{key}] on a line, and its fields below"
    field = Recipe.model_fields[place[0]].annotation.model_fields[place[1]]  # type: ignore[union-attr]
    default = "" if field.is_required() else f" ({json.dumps(field.default)} unless given)"
    problem = f"{key} = {item['input']!r}: {item['msg'][0].lower()}{item['msg'][1:]}"
    return problem, f"{place[0]}.{place[1]}: {field.description}{default}"


def _known_keys() -> list[str]:
    sections = {name: field.annotation for name, field in Recipe.model_fields.items()}
    return [
        f"{name}.{key}"
        for name, section in sections.items()
        if isinstance(section, type) and issubclass(section, BaseModel)
        for key in section.model_fields
    ]
