"""Run folder → what would lie on the Hugging Face Hub: the card, the weights and the settings, and nothing private."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from parlure.errors import ParlureError
from parlure.shipping.card import CARD, make_card

_REPO = re.compile(r"[\w.-]+/[\w.-]+")
_HELD_BACK = ("checkpoints", "corpus.json", "recipe.toml")  # working state; paths of a machine and names of speakers


@dataclass(frozen=True)
class Publication:
    """What would be published.

    Attributes:
        repo: ``owner/name``.
        card: the model card.
        files: path in the repository → size in bytes.
        held_back: what stays here.
        warnings: what a person should know first.
    """

    repo: str
    card: str
    files: dict[str, int]
    held_back: tuple[str, ...]
    warnings: tuple[str, ...]

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
    card = make_card(run, report)
    weights = run / ("adapter" if (run / "adapter").is_dir() else "model")
    # at the top, where from_pretrained looks; PEFT's own template of a card gives way to ours
    files = {path.name: path.stat().st_size for path in sorted(weights.iterdir()) if path.name != CARD}
    files |= {name: (run / name).stat().st_size for name in ("metrics.jsonl", "environment.json")}
    files[CARD] = len(card.encode())
    warnings = []
    if weights.name == "adapter" and "base_model: " not in card:
        warnings.append("the base is no model of the Hub: nobody can load this adapter there")
    if "license: " not in card:
        warnings.append("the card has no licence: the corpus does not say one")
    held_back = tuple(name for name in _HELD_BACK if (run / name).exists())
    return Publication(repo, card, dict(sorted(files.items())), held_back, tuple(warnings))
