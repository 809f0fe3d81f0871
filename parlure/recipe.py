"""The recipe: a TOML file → frozen, checked settings. Every field is documented here, once.

Each field's description is what docs and templates show. Unknown keys are errors that name the nearest known one;
all that is wrong with a recipe is said at once.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from parlure.errors import ParlureError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, use_attribute_docstrings=True)


class ModelSection(_Section):
    """What is tuned."""

    base: str = "openai/whisper-medium"
    """the MODEL to start from: nano, a Hugging Face folder or hub id, or a run in which every weight was tuned"""


class DataSection(_Section):
    """What it is tuned on."""

    corpus: str
    """the corpus folder that `parlure prepare` made, relative to the recipe"""
    language: str = ""
    """learn from utterances of this language only, such as fr; empty: all"""
    task: Literal["", "transcribe", "translate"] = ""
    """learn from utterances of this task only; empty: both"""
    permute_labels: bool = False
    """a control: every training utterance gets the transcript of another one, from which no speech can be learnt"""


class AdapterSection(_Section):
    """How the model is changed."""

    method: Literal["lora", "rslora", "dora", "pissa", "adalora", "full"] = "lora"
    """lora and its kin: low-rank adapters over frozen weights; full: the weights themselves"""
    r: int = Field(default=32, ge=1)
    """rank of the adapters; higher learns more and needs more memory"""
    alpha: float = Field(default=64.0, gt=0)
    """scale of the adapters: their update is multiplied by alpha / r, with rslora by alpha / √r"""
    dropout: float = Field(default=0.05, ge=0, lt=1)
    """dropout on the adapters' input"""
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
    """names of the linear layers that get an adapter"""
    parts: Literal["both", "encoder", "decoder"] = "both"
    """what is tuned; decoder: the encoder stays as it is, which is faster and hears no better"""
    last_layers: int = Field(default=0, ge=0)
    """tune only so many layers of each part, the last ones; 0: all"""
    modules_to_save: tuple[str, ...] = ()
    """other modules that are trained whole beside the adapters and saved with them, such as conv1, conv2, layer_norm"""


class TrainingSection(_Section):
    """How it is optimised."""

    epochs: float = Field(default=3.0, gt=0)
    """passes over the training utterances"""
    max_steps: int = Field(default=0, ge=0)
    """stop after so many optimiser steps; 0: as many as the epochs make"""
    learning_rate: float = Field(default=1e-4, gt=0)
    """peak learning rate; for full fine-tuning take about a tenth of what suits LoRA"""
    warmup_steps: int = Field(default=50, ge=0)
    """steps in which the rate rises from 0 to its peak, after which it falls to 0 linearly"""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """learning rate of a layer as a share of the next one's, in encoder and decoder each; 1: all learn alike"""
    average: float = Field(default=0.0, ge=0, lt=1)
    """decay of a moving average of what is trained, which is judged and kept in its place; 0.999 is usual, 0: none"""
    weight_decay: float = Field(default=0.0, ge=0)
    """decoupled weight decay (AdamW)"""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """gradients longer than this are shortened to it"""
    batch_seconds: float = Field(default=30.0, ge=0)
    """seconds of encoder input in one forward pass; 0: as much as memory takes, with accumulation adapted to it"""
    accumulation: int = Field(default=8, ge=1)
    """forward passes per optimiser step, shared out among the processes"""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 on a GPU that has it, else fp32"""
    checkpointing: Literal["auto", "on", "off"] = "auto"
    """compute layers again in the backward pass, slower with less memory; auto: only if it does not fit without"""
    memory_gb: float = Field(default=0.0, ge=0)
    """memory that a process may take, in GB; 0: what is free"""
    seed: int = 1
    """decides order, dropout and adapter initialisation"""
    full_window_share: float = Field(default=0.1, ge=0, le=1)
    """share of utterances in windows of 30 s, which runtimes decode in; the rest is fed at its own length, faster"""
    utterances_per_window: int = Field(default=4, ge=1)
    """utterances of one speaker that may share a 30 s window, 1 to so many; with a share of 1: packing"""
    encoder_cache_gb: float = Field(default=0.0, ge=0)
    """with adapter.parts = "decoder": keep so many GB of encoder outputs, so that later epochs need not compute them"""
    encoder_cache: Literal["memory", "disk"] = "memory"
    """where they are kept; on disk they lie in the run folder until the run is done"""


class TargetsSection(_Section):
    """What is asked for of an utterance, drawn anew every epoch."""

    timestamps: float = Field(default=0.5, ge=0, le=1)
    """share of utterances with phrase times (`segments`) that are trained with them, and of full windows of several"""
    prompts: float = Field(default=0.5, ge=0, le=1)
    """share of utterances with a text before them (`prompt`) that are trained behind it"""
    terms: str = ""
    """a list of terms, one a line, relative to the recipe, that windows are trained behind, see docs/vocabulary.md"""
    term_prompts: float = Field(default=0.5, ge=0, le=1)
    """share of windows without a previous text that are trained behind some of the terms"""


class LanguageSection(_Section):
    """A language that Whisper lacks, see docs/new-language.md."""

    code: str = ""
    """its code in the corpus, such as eo; empty: there is none"""
    token: str = ""
    """code of a language whose token it takes over, such as la; empty: a new token, for Hugging Face and torch alone"""
    like: str = ""
    """code of a language, a relative's, whose token it begins as; empty: the one taken over, or the mean of all"""


class AugmentationSection(_Section):
    """What training utterances go through before they are heard; dev and test stay as they are."""

    telephone: float = Field(default=0.0, ge=0, le=1)
    """share of training utterances that go through a telephone channel, drawn anew every epoch; 0: none"""
    conditions: tuple[str, ...] = (
        "g711",
        "g711(a)",
        "gsm",
        "amr(4.75..12.2)",
        "opus(6..12)",
        "g711 > loss(0.01..0.1)",
        "g711 > loss(0.01..0.1, burst=1..4, conceal=repeat)",
    )
    """the channels, each as often as any other; docs/telephone.md lists what they are made of"""


class EvaluationSection(_Section):
    """How the best checkpoint is found: by the dev split's word error rate, decoded, never by loss."""

    every_steps: int = Field(default=200, ge=1)
    """optimiser steps between two evaluations, each of which writes a checkpoint"""
    patience: int = Field(default=5, ge=0)
    """stop after so many evaluations without a better dev WER; 0: never"""
    max_utterances: int = Field(default=0, ge=0)
    """decode at most so many dev utterances, the same ones every time; 0: all"""
    profile: str = ""
    """the normaliser of the dev WER; empty: the language's own"""


class GuardSection(_Section):
    """What the model must not forget: corpora of other domains, whose dev split is decoded with every evaluation."""

    corpora: tuple[str, ...] = ()
    """the corpora, each a folder or NAME=FOLDER"""
    max_loss: float = Field(default=1.0, ge=0)
    """points of WER that each may lose against the base; a checkpoint that loses more is not kept"""
    patience: int = Field(default=2, ge=0)
    """stop after so many evaluations in a row that lose more; 0: never"""
    max_utterances: int = Field(default=200, ge=0)
    """decode at most so many utterances of each, the same ones every time; 0: all"""


class ReplaySection(_Section):
    """Training utterances of a general corpus among one's own, so that what they teach is not forgotten."""

    corpus: str = ""
    """the corpus folder; empty: none"""
    share: float = Field(default=0.2, gt=0, lt=1)
    """share of an epoch's utterances that come from it, drawn anew every epoch"""


class DecodingSection(_Section):
    """How dev utterances are decoded."""

    batch_size: int = Field(default=16, ge=1)
    """30 s windows decoded together, twice as many short ones"""
    max_new_tokens: int = Field(default=224, ge=1, le=444)
    """token limit of one utterance"""
    beam_size: int = Field(default=1, ge=1)
    """1: the most probable token at every step; more: so many beginnings of every text at once, as much slower"""


class Recipe(_Section):
    """A whole recipe. The smallest one names a corpus."""

    model: ModelSection = ModelSection()
    data: DataSection
    adapter: AdapterSection = AdapterSection()
    training: TrainingSection = TrainingSection()
    targets: TargetsSection = TargetsSection()
    language: LanguageSection = LanguageSection()
    augmentation: AugmentationSection = AugmentationSection()
    replay: ReplaySection = ReplaySection()
    evaluation: EvaluationSection = EvaluationSection()
    guard: GuardSection = GuardSection()
    decoding: DecodingSection = DecodingSection()


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


def _place_paths(tree: dict[str, Any], place: Callable[[str], str]) -> None:
    """Apply a function to every path to data in a tree of plain values, which may be wrong in any way."""
    for section, field in (("data", "corpus"), ("replay", "corpus"), ("targets", "terms")):
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
    """Where two recipes differ, as ``section.field``; not in where corpora lie, for they may have been moved."""
    old, new = resolved(before).model_dump(), resolved(after).model_dump()
    keys = [
        (section, field) for section, fields in new.items() for field in fields if field not in ("corpus", "corpora")
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
