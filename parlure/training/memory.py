"""What a run may take of memory → how much a forward pass holds, and whether layers are checkpointed.

The decision is made once, before the plan of the run, from shapes alone (:mod:`parlure.training.rehearsal`), and
written into the run's recipe: a run that goes on does so with the same plan, on whatever machine.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from transformers import WhisperConfig

from parlure.errors import ParlureError
from parlure.sections import AdapterSection, Recipe, TrainingSection
from parlure.speech.features import WINDOW_S, short_window_s
from parlure.training.augmentation import slowest
from parlure.training.rehearsal import Need, rehearse
from parlure.training.team import Team
from parlure.training.windows import Item
from parlure.whisper.prompt import MAX_TOKENS

# What allocators lose, times what is estimated. On a CPU, glibc keeps much of what was freed: LoRA on nano and tiny
# took 1.3 to 1.7 of the tensors' bytes, and 0.95 with MALLOC_MMAP_THRESHOLD_=65536. On a GPU it is an assumption
ALLOCATOR = {"cpu": 1.5, "cuda": 1.1}
MARGIN = 1.15  # on top, for what kernels use for themselves and for what was never measured
_GB = 1e9


@dataclass(frozen=True)
class Shape:
    """Windows that a forward pass may be full of: their length, and the most label tokens that one of them has."""

    length_s: float
    n_tokens: int


@dataclass(frozen=True)
class Fit:
    """What was decided, and by what.

    Attributes:
        batch_seconds: of encoder input in a forward pass.
        accumulation: forward passes of a step.
        checkpointing: whether layers keep their input alone.
        need: where the memory goes.
        need_bytes: of the worst forward pass and all that is there besides, with the margin.
        room_bytes: that may be used.
    """

    batch_seconds: float
    accumulation: int
    checkpointing: bool
    need: Need
    need_bytes: int
    room_bytes: int

    @property
    def sentence(self) -> str:
        """What a person reads."""
        how = ", layers checkpointed" if self.checkpointing else ""
        return (
            f"{self.batch_seconds:g} s of input a forward pass{how}: "
            f"{self.need_bytes / _GB:.1f} of {self.room_bytes / _GB:.1f} GB (estimated)"
        )


def fitted(
    recipe: Recipe, config: WhisperConfig, items: Sequence[Item], team: Team, *, n_before: int = 0
) -> tuple[Recipe, Fit | None]:
    """The recipe with what it leaves to the memory filled in; the same in every process of the team.

    Args:
        recipe: with ``batch_seconds`` 0 or ``checkpointing`` auto, or both, or neither.
        config: of the model that is tuned.
        items: what it is tuned on.
        team: the processes; called by each, before the model is loaded.
        n_before: label tokens that may stand before any of them.

    Returns:
        The recipe, and what it was fitted by; None where it leaves nothing open and gives no budget.

    Raises:
        ParlureError: it does not fit.
    """
    training = recipe.training
    if training.batch_seconds and training.checkpointing != "auto" and not training.memory_gb:
        return recipe, None
    n_local = int(os.environ.get("LOCAL_WORLD_SIZE", team.size))  # as torchrun says it
    room = room_bytes(team.accelerator.device, training.memory_gb, n_local)
    if team.accelerator.device.type == "cpu" and training.encoder_cache == "memory":
        room -= training.encoder_cache_gb * _GB
    rooms = team.add([room * (rank == team.accelerator.process_index) for rank in range(team.size)])
    bf16 = team.accelerator.mixed_precision == "bf16"
    fit = choose(
        training, recipe.adapter, config,
        shapes_of(items, training, n_before, slowest(recipe.augmentation)), min(rooms),
        bf16=bf16, size=team.size, device=team.accelerator.device.type,
    )  # fmt: skip
    chosen = {
        "batch_seconds": fit.batch_seconds,
        "accumulation": fit.accumulation,
        "checkpointing": "on" if fit.checkpointing else "off",
    }
    return recipe.model_copy(update={"training": training.model_copy(update=chosen)}), fit


def as_begun(recipe: Recipe, begun: Recipe) -> Recipe:
    """The recipe with what it leaves to the memory as a run was begun with, so that the run goes on with its plan."""
    training, before = recipe.training, begun.training
    chosen: dict[str, object] = {}
    if training.batch_seconds == 0:
        chosen["batch_seconds"] = before.batch_seconds
        if math.isclose(_step_s(training), before.batch_seconds * before.accumulation):
            chosen["accumulation"] = before.accumulation
    if training.checkpointing == "auto":
        chosen["checkpointing"] = before.checkpointing
    return recipe.model_copy(update={"training": training.model_copy(update=chosen)})


def choose(
    training: TrainingSection,
    adapter: AdapterSection,
    config: WhisperConfig,
    shapes: Sequence[Shape],
    room: float,
    *,
    bf16: bool,
    size: int = 1,
    device: str = "cpu",
) -> Fit:
    """The largest forward pass that fits, without checkpointing if anything fits so; or the one that is asked for.

    Where the memory decides, a step stays what it would have been with the default ``batch_seconds``: a larger forward
    pass means fewer of them.

    Args:
        training: of the recipe.
        adapter: of the recipe.
        config: the model's.
        shapes: of the windows that occur.
        room: bytes.
        bf16: whether the passes are computed in bf16.
        size: processes, each of which needs a forward pass to do.
        device: the kind of it, for what its allocator loses.

    Raises:
        ParlureError: nothing fits.
    """
    asked = [(training.batch_seconds, training.accumulation)] if training.batch_seconds else _whole(training, size)
    ways = {"auto": (False, True), "on": (True,), "off": (False,)}[training.checkpointing]
    for checkpointing in ways:
        need = _rehearsed(json.dumps(config.to_dict(), default=str), adapter, bf16, checkpointing)
        for batch_seconds, accumulation in asked:
            least = worst_bytes(need, shapes, batch_seconds, device)
            if least <= room:
                return Fit(batch_seconds, accumulation, checkpointing, need, math.ceil(least), int(room))
    raise ParlureError(
        f"a forward pass of {batch_seconds:g} s needs {least / _GB:.1f} GB (estimated), "
        f"and there are {max(0.0, room) / _GB:.1f} GB",
        "set training.batch_seconds to 0 for as much as memory takes, or take a smaller model; "
        "if the estimate is wrong, say in training.memory_gb how much may be used",
    )


def worst_bytes(need: Need, shapes: Sequence[Shape], batch_seconds: float, device: str = "cpu") -> float:
    """Bytes of a step with the worst of the forward passes that a plan can make, with allocator and margin."""
    totals = []
    for shape in shapes:
        n = max(1, int(batch_seconds // shape.length_s))
        totals.append(need.total(n * shape.length_s, n * shape.n_tokens))
    return MARGIN * ALLOCATOR.get(device, max(ALLOCATOR.values())) * max(totals)


def shapes_of(items: Sequence[Item], training: TrainingSection, n_before: int = 0, slowest: float = 1.0) -> list[Shape]:
    """The windows that may occur: each utterance's own length, and 30 s if there is a share of full ones.

    A forward pass is padded to the longest label in it, which may come from a shorter window.

    Args:
        items: what may be trained on.
        training: of the recipe.
        n_before: tokens that may stand before each window's own.
        slowest: how many times as long as recorded an utterance may become.
    """
    longest: dict[float, int] = {}
    for item in items:
        length_s = short_window_s(min(WINDOW_S, item.duration_s * slowest))
        longest[length_s] = max(longest.get(length_s, 0), len(item.labels.inputs))
    if training.full_window_share:
        n_together = training.utterances_per_window  # each with two stamps
        longest[WINDOW_S] = min(MAX_TOKENS, n_together * (max(longest.values()) + 2))
    shapes, n_tokens = [], 0
    for length_s in sorted(longest):
        n_tokens = max(n_tokens, min(MAX_TOKENS, longest[length_s] + n_before))
        shapes.append(Shape(length_s, n_tokens))
    return shapes


def room_bytes(device: torch.device, memory_gb: float, n_local: int = 1) -> float:
    """Bytes that this process may still take.

    Args:
        device: where the model will be.
        memory_gb: the budget of one process, with what it holds already; 0: what is free now.
        n_local: processes that share the main memory of this machine.
    """
    import psutil

    if device.type == "cuda":
        held, reserved = torch.cuda.memory_allocated(device), torch.cuda.memory_reserved(device)
        free = torch.cuda.mem_get_info(device)[0] + reserved - held
    else:
        held = psutil.Process().memory_info().rss
        free = min(psutil.virtual_memory().available, _left_of_the_container()) / n_local
    return memory_gb * _GB - held if memory_gb else float(free)


def _left_of_the_container(folder: Path = Path("/sys/fs/cgroup")) -> float:
    """Bytes that a container's limit leaves, of which the machine's own figures know nothing (Linux, cgroup v2)."""
    try:
        limit = (folder / "memory.max").read_text().strip()
        return math.inf if limit == "max" else int(limit) - int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return math.inf


def _step_s(training: TrainingSection) -> float:
    """Seconds of encoder input in a step by the default ``batch_seconds``."""
    return float(TrainingSection.model_fields["batch_seconds"].default * training.accumulation)


def _whole(training: TrainingSection, size: int) -> list[tuple[float, int]]:
    """Forward passes of whole windows into which a step can be divided evenly, the largest first."""
    n_windows = round(_step_s(training) / WINDOW_S)
    return [(n_windows // n * WINDOW_S, n) for n in range(1, n_windows + 1) if n_windows % n == 0 and n >= size]


@cache
def _rehearsed(config: str, adapter: AdapterSection, bf16: bool, checkpointing: bool) -> Need:
    return rehearse(WhisperConfig.from_dict(json.loads(config)), adapter, bf16=bf16, checkpointing=checkpointing)
