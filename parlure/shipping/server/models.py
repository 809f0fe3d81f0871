"""``[NAME=]MODEL …`` → the models of the API, each a name and an engine; adapters over one base share it."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.transcribing.engines.choice import engine_for, open_engine
from parlure.transcribing.engines.interface import EngineName, TimedEngine
from parlure.transcribing.engines.shared import SharedBase
from parlure.whisper.conversion import Quantization
from parlure.whisper.load import locate

_NAMED = re.compile(r"([\w.:@-]+)=(.+)")


@dataclass(frozen=True)
class ServedModel:
    """A model of the API.

    Attributes:
        id: what requests name it by.
        engine: that decodes.
        created: when it was loaded, Unix time in seconds.
        how: a line for a person: what it is, and what it shares.
    """

    id: str
    engine: TimedEngine
    created: int
    how: str

    def to_json(self) -> dict[str, Any]:
        """As OpenAI lists it."""
        return {"id": self.id, "object": "model", "created": self.created, "owned_by": "parlure"}


def named_models(arguments: Sequence[str]) -> dict[str, str]:
    """Name → MODEL, in order.

    Args:
        arguments: each MODEL or ``NAME=MODEL``; one without a name is called as it stands, a folder by its last part.

    Raises:
        ParlureError: there is none, or two have one name.
    """
    found: dict[str, str] = {}
    for argument in arguments:
        match = None if Path(argument).exists() else _NAMED.fullmatch(argument)
        name, model = match.groups() if match else (_name_of(argument), argument)
        if name in found:
            raise ParlureError(f"two models are called {name}", f"name one of them: other={model}")
        found[name] = model
    if not found:
        raise ParlureError("there is no model to serve", "parlure serve nano")
    return found


def open_models(
    named: Mapping[str, str], engine: EngineName | None = None, quantize: Quantization | None = None
) -> dict[str, ServedModel]:
    """Load them.

    Args:
        named: name → MODEL.
        engine: by which library; None is torch, or CTranslate2 where one is its folder.
        quantize: the numbers CTranslate2 multiplies.

    Raises:
        ParlureError: a model cannot be loaded, or is no Whisper that tells when its words are said: not in ONNX.
    """
    opened: dict[str, tuple[TimedEngine, str]] = {}
    if engine_for(named.values(), engine) == "torch" and quantize is None:
        for base, members in _families(named).items():
            opened |= _shared(base, members)
    for name, model in named.items():
        if name not in opened:
            one = open_engine(model, engine_for(named.values(), engine), quantize)
            if not isinstance(one, TimedEngine):
                raise ParlureError(
                    f"{model} is no Whisper in torch or CTranslate2, and only such are served", "transcribe runs it"
                )
            opened[name] = one, f"{model}, by itself"
    now = int(time.time())
    return {name: ServedModel(name, opened[name][0], now, opened[name][1]) for name in named}


def _name_of(model: str) -> str:
    return Path(model).resolve().name if Path(model).exists() else model


def _families(named: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Base → its members by name, of bases that two or more models stand on, one of them an adapter."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    tuned: set[str] = set()
    for name, model in named.items():
        base, adapter = locate(model)
        found[base][name] = model
        tuned |= {base} if adapter is not None else set()
    return {base: members for base, members in found.items() if len(members) > 1 and base in tuned}


def _shared(base: str, members: Mapping[str, str]) -> dict[str, tuple[TimedEngine, str]]:
    """The members that can stand beside each other over a base in memory."""
    shared, found = SharedBase(base), {}
    for name, model in members.items():
        if locate(model)[1] is None:
            found[name] = shared.engine(), f"{model}, the base"
            continue
        try:
            shared.add_adapter(name, model)
        except ParlureError:
            continue  # of a kind that cannot: it is loaded by itself, and said to be
        found[name] = shared.engine(name), f"{model}, an adapter over a base that is shared"
    return found  # type: ignore[return-value]
