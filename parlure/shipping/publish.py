"""Run folder → what would lie on the Hugging Face Hub: the card, the weights and the settings, and nothing private."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from parlure.errors import ParlureError
from parlure.exclusive import is_empty
from parlure.shipping.card import CARD, make_card
from parlure.shipping.sections import public_name

_REPO = re.compile(r"[\w.-]+/[\w.-]+")
_ADAPTER = "adapter_config.json"
_HELD_BACK = (
    "checkpoints",
    "corpus.json",
    "recipe.toml",
    "merge.json",
    "runs",
)  # working state; paths of a machine and names of speakers


@dataclass(frozen=True)
class Publication:
    """What would be published.

    Attributes:
        repo: ``owner/name``.
        card: the model card.
        contents: path in the repository → a file of the run as it is, or what is written in its place.
        held_back: what stays here.
        warnings: what a person should know first.
    """

    repo: str
    card: str
    contents: dict[str, Path | bytes]
    held_back: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def files(self) -> dict[str, int]:
        """Path in the repository → size in bytes."""
        return {
            name: content.stat().st_size if isinstance(content, Path) else len(content)
            for name, content in self.contents.items()
        }

    def lines(self) -> list[str]:
        """The listing that a person reads."""
        shown = [f"{size:>12,}  {name}" for name, size in self.files.items()]
        return [
            f"https://huggingface.co/{self.repo} would hold {len(self.files)} files:",
            *shown,
            f"held back: {', '.join(self.held_back)}",
            *(f"warning: {warning}" for warning in self.warnings),
        ]


def plan(run: Path, repo: str, report: Path | None = None) -> Publication:
    """Look at a run and say what would be published of it; nothing is written or sent.

    Args:
        run: a run folder.
        repo: ``owner/name`` on the Hub.
        report: a report folder, whose scores go on the card.

    Raises:
        ParlureError: the name is none, or the run has not come far enough.
    """
    if not _REPO.fullmatch(repo):
        raise ParlureError(f"{repo} is not a repository's name", "--repo owner/name")
    card = make_card(run, report, repo)
    weights = run / ("adapter" if (run / "adapter").is_dir() else "model")
    # at the top, where from_pretrained looks; PEFT's own template of a card gives way to ours
    contents: dict[str, Path | bytes] = {path.name: path for path in weights.iterdir() if path.name != CARD}
    beside = ("metrics.jsonl", "environment.json")  # of a merged run: nothing, for each of its parts has its own
    contents |= {name: run / name for name in beside if (run / name).is_file()}
    contents[CARD] = card.encode()
    if _ADAPTER in contents:
        contents[_ADAPTER] = _without_path(weights / _ADAPTER)
    warnings = []
    if weights.name == "adapter" and "base_model: " not in card:
        warnings.append("the base is no model of the Hub: nobody can load this adapter there")
    if "license: " not in card:
        warnings.append("the card has no licence: the corpus does not say one")
    held_back = tuple(name for name in _HELD_BACK if (run / name).exists())
    return Publication(repo, card, dict(sorted(contents.items())), held_back, tuple(warnings))


def stage(publication: Publication, out: Path) -> None:
    """Write the folder to upload: exactly what the listing says.

    Raises:
        ParlureError: there is something in the folder already, which would go to the Hub too.
    """
    if not is_empty(out):
        raise ParlureError(f"{out} is not empty, and all of it would be uploaded", "name a new folder: --out NAME")
    out.mkdir(parents=True, exist_ok=True)
    for name, content in publication.contents.items():
        if isinstance(content, Path):
            shutil.copyfile(content, out / name)
        else:
            (out / name).write_bytes(content)


def _without_path(settings: Path) -> bytes:
    """An adapter's settings, in which a base that is a folder here has only its own name."""
    content = json.loads(settings.read_text(encoding="utf-8"))
    content["base_model_name_or_path"] = public_name(content["base_model_name_or_path"])
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
