"""What an export says of itself, in ``export.json``: for whom it was written, in which numbers, and from what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from parlure.errors import ParlureError
from parlure.whisper.load import hash_files, locate, weight_files

EXPORT = "export.json"


@dataclass(frozen=True)
class Written:
    """Of one export folder.

    Attributes:
        format: the target, as ``--to`` names it.
        quantize: numbers in which the weights are stored.
        model: the MODEL that it was made from, as the person called it.
        sha256: hash of that MODEL's weights, as :attr:`parlure.whisper.load.LoadedModel.sha256`.
        parlure: version that wrote it.
        notes: what a person should know of it.
    """

    format: str
    quantize: str
    model: str
    sha256: str
    parlure: str
    notes: tuple[str, ...] = ()


def write_written(out: Path, to: str, quantize: str, model: str, notes: Sequence[str] = ()) -> Written:
    """Write ``export.json`` into a folder that is there.

    Raises:
        ParlureError: the MODEL is not there.
    """
    written = Written(to, quantize, model, hash_files(weight_files(*locate(model))), version("parlure"), tuple(notes))
    (out / EXPORT).write_text(json.dumps(asdict(written), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return written


def read_written(folder: Path) -> Written:
    """What an export folder says of itself.

    Raises:
        ParlureError: nothing, or nothing that can be read.
    """
    try:
        told = json.loads((folder / EXPORT).read_text(encoding="utf-8"))
        return Written(**told | {"notes": tuple(told.get("notes", ()))})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ParlureError(
            f"{folder} has no {EXPORT} that can be read", "name a folder that parlure export has made"
        ) from error
