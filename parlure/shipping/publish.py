"""Run or corpus folder → the Hugging Face Hub: the card, the weights and the settings, or the clips; nothing private.

Read :func:`publish` first: plan, settle what stands against it, and push in one commit.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.exclusive import is_empty
from parlure.shipping.card import CARD, make_card
from parlure.shipping.dataset import is_corpus, personal_data, write_dataset
from parlure.shipping.hub import push
from parlure.shipping.licences import Conflict, conflicts, conflicts_of_data, hub_name
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
        card: the card.
        contents: path in the repository → a file as it is, or what is written in its place.
        held_back: what stays here.
        warnings: what a person should know first.
        conflicts: what has to be settled before anything is sent.
        kind: ``model`` or ``dataset``.
    """

    repo: str
    card: str
    contents: dict[str, Path | bytes]
    held_back: tuple[str, ...]
    warnings: tuple[str, ...]
    conflicts: tuple[Conflict, ...] = ()
    kind: str = "model"

    @property
    def files(self) -> dict[str, int]:
        """Path in the repository → size in bytes."""
        return {
            name: content.stat().st_size if isinstance(content, Path) else len(content)
            for name, content in self.contents.items()
        }

    @property
    def address(self) -> str:
        """Where it would be."""
        return f"https://huggingface.co/{'datasets/' * (self.kind == 'dataset')}{self.repo}"

    def lines(self) -> list[str]:
        """The listing that a person reads: what stands against it comes first."""
        shown = [f"{size:>12,}  {name}" for name, size in self.files.items()]
        return [
            *(f"conflict {one.name}: {one.reason}" for one in self.conflicts),
            f"{self.address} would hold {len(self.files)} files:",
            *shown,
            *([f"held back: {', '.join(self.held_back)}"] if self.held_back else []),
            *(f"warning: {warning}" for warning in self.warnings),
        ]

    def settle(self, accepted: Iterable[str]) -> None:
        """See that nothing stands against it but what a person has accepted by its name.

        Raises:
            ParlureError: something does, or a name is none of its conflicts.
        """
        names = list(dict.fromkeys(one.name for one in self.conflicts))
        for name in accepted:
            if name not in names:
                raise ParlureError(
                    f"there is no conflict {name} to accept",
                    f"there are {', '.join(names)}" if names else "leave it out",
                )
        left = [one for one in self.conflicts if one.name not in set(accepted)]
        if left:
            flags = " ".join(f"--accept {name}" for name in dict.fromkeys(one.name for one in left))
            raise ParlureError(
                f"nothing is published yet: {'; '.join(one.reason for one in left)}",
                f"another --licence may settle it, or if you may publish it all the same, say so: {flags}",
            )


@contextmanager
def planned(
    source: Path,
    repo: str,
    report: Path | None = None,
    *,
    licence: str | None = None,
    merged: bool = False,
) -> Iterator[Publication]:
    """Look at a run or a corpus and say what would be published of it; nothing is sent.

    What has to be made for it, clips or a merged model, is there until the context ends.

    Args:
        source: a run folder, or a corpus folder.
        repo: ``owner/name`` on the Hub.
        report: a report folder, whose scores go on the card of a run.
        licence: of what is published; None is that of the recordings.
        merged: merge a run's adapter into its base.

    Raises:
        ParlureError: the name is none, the folder is neither, or the run has not come far enough.
    """
    if not _REPO.fullmatch(repo):
        raise ParlureError(f"{repo} is not a repository's name", "--repo owner/name")
    licence = None if licence is None else hub_name(licence)
    with TemporaryDirectory(prefix="parlure-") as folder:
        if is_corpus(source):
            if merged or report is not None:
                raise ParlureError(f"{source} is a corpus: --merged and --report are for a run", "leave them out")
            yield _plan_corpus(source, repo, licence, Path(folder))
        else:
            if merged and not (source / "adapter").is_dir():
                raise ParlureError(f"{source} has no adapter to merge", "leave out --merged")
            if merged:
                from parlure.shipping.export.with_hf import to_hf

                to_hf(str(source), Path(folder), "float32")
            yield plan(source, repo, report, licence=licence, merged=Path(folder) if merged else None)


def _plan_corpus(source: Path, repo: str, licence: str | None, folder: Path) -> Publication:
    corpus = Corpus.load(source)
    told = licence or corpus.info.get("licence")
    own = conflicts_of_data(corpus.info.get("licence"))
    against = (*personal_data(corpus), *(one for one in own if one.name != "no-data-licence" or licence is None))
    card = write_dataset(corpus, folder, repo, told)
    contents: dict[str, Path | bytes] = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    warnings = ("recordings are voices of people, and speakers are named as in the corpus",)
    return Publication(repo, card, contents, (), warnings, against, "dataset")


def plan(
    run: Path, repo: str, report: Path | None = None, *, licence: str | None = None, merged: Path | None = None
) -> Publication:
    """As :func:`planned`, of a run; ``merged`` is the folder that its merged model is in.

    Raises:
        ParlureError: the run has not come far enough, or the report is none.
    """
    card = make_card(run, report, repo, licence=licence, merged=merged is not None)
    weights = merged or run / ("adapter" if (run / "adapter").is_dir() else "model")
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
    against = tuple(dict.fromkeys(_conflicts(run, licence)))
    return Publication(repo, card, dict(sorted(contents.items())), held_back, tuple(warnings), against)


def _conflicts(run: Path, licence: str | None) -> Iterator[Conflict]:
    """What stands against publishing a run: of each of its corpora."""
    base = _base_of(run)
    for path in [run / "corpus.json", *sorted(run.glob("runs/*/corpus.json"))]:
        if path.is_file():
            data = json.loads(path.read_text(encoding="utf-8")).get("licence")
            one = hub_name(data) if data and "," not in data else None
            yield from conflicts(data, licence or one, base)


def _base_of(run: Path) -> str:
    if (run / "merge.json").is_file():
        return str(json.loads((run / "merge.json").read_text(encoding="utf-8"))["base"])
    return str(tomllib.loads((run / "recipe.toml").read_text(encoding="utf-8"))["model"]["base"])


def publish(
    source: Path,
    repo: str,
    report: Path | None = None,
    *,
    merged: bool = False,
    private: bool = False,
    licence: str | None = None,
    accept: Sequence[str] = (),
) -> str:
    """Push a run or a corpus to the Hugging Face Hub, in one commit.

    Args:
        source, repo, report, licence, merged: see :func:`planned`.
        private: make the repository a private one.
        accept: names of conflicts that a person has settled.

    Returns:
        The address of the commit.

    Raises:
        ParlureError: as :func:`planned`; something stands against it; or see :func:`parlure.shipping.hub.push`.
    """
    with planned(source, repo, report, licence=licence, merged=merged) as publication:
        publication.settle(accept)
        return push(repo, publication.contents, kind=publication.kind, private=private)


def stage(publication: Publication, out: Path) -> None:
    """Write the folder to upload: exactly what the listing says.

    Raises:
        ParlureError: there is something in the folder already, which would go to the Hub too.
    """
    if not is_empty(out):
        raise ParlureError(f"{out} is not empty, and all of it would be uploaded", "name a new folder: --out NAME")
    out.mkdir(parents=True, exist_ok=True)
    for name, content in publication.contents.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, out / name)
        else:
            (out / name).write_bytes(content)


def _without_path(settings: Path) -> bytes:
    """An adapter's settings, in which a base that is a folder here has only its own name."""
    content = json.loads(settings.read_text(encoding="utf-8"))
    content["base_model_name_or_path"] = public_name(content["base_model_name_or_path"])
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
