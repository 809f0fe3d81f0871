"""A data set on the Hugging Face Hub, or a folder of the same layout → its parquet shards.

``hf://owner/name?config=fr&split=segment&revision=main``; a folder takes the same ``?config=…&split=…``. Which files
belong to a config and a split is said by the data set's card (``configs`` in the front matter of README.md) or by
their names: ``CONFIG/SPLIT-00000-of-00003.parquet``, ``data/SPLIT-….parquet``, ``CONFIG/SPLIT/0000.parquet``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from parlure.corpus.readers import SCHEME
from parlure.corpus.split import is_own_split
from parlure.errors import ParlureError

_KEYS = ("config", "split", "revision")
_SHARD = re.compile(
    r"^(?:(?P<config>[^/]+)/)??(?:(?P<folder>[^/]+)/\d+|(?P<split>[^/]+?)(?:-\d{5}-of-\d{5}(?:-[0-9a-f]+)?)?)\.parquet$"
)
_LONE_FILE = {"configs": [{"config_name": "default", "data_files": [{"split": "all", "path": "*"}]}]}
_DEFAULT_CONFIGS = {None, "data"}  # a folder called data is no config


@dataclass(frozen=True)
class Address:
    """Where a data set is: ``place`` is ``owner/name`` on the Hub, or a folder."""

    place: str
    on_hub: bool
    config: str | None = None
    split: str | None = None
    revision: str | None = None

    @classmethod
    def parse(cls, source: str) -> Address:
        """The address that a person wrote.

        Raises:
            ParlureError: not ``hf://owner/name``, or a key after the question mark that means nothing.
        """
        on_hub = source.startswith(SCHEME)
        if not on_hub and Path(source).exists():
            return cls(source, on_hub)
        place, _, query = source.removeprefix(SCHEME).partition("?")
        if on_hub and not re.fullmatch(r"[\w.-]+/[\w.-]+", place):
            raise ParlureError(f"{source} names no data set", "hf://owner/name?config=fr&split=train")
        keys = dict(parse_qsl(query, keep_blank_values=True))
        known = _KEYS if on_hub else _KEYS[:2]
        for key, value in keys.items():
            if key not in known or not value:
                raise ParlureError(f"{source}: {key}={value} means nothing here", f"known are {', '.join(known)}")
        return cls(place, on_hub, keys.get("config"), keys.get("split"), keys.get("revision"))

    def with_choice(self, **keys: str) -> str:
        """This address with keys filled in, for a hint."""
        chosen = {key: getattr(self, key) for key in _KEYS} | keys
        query = urlencode({key: value for key, value in chosen.items() if value}, safe="/")
        return f"{SCHEME if self.on_hub else ''}{self.place}?{query}"


@dataclass(frozen=True)
class Shard:
    """One parquet file.

    Attributes:
        name: its path in the data set.
        split: the split it belongs to.
        version: changes when its content does: a hash on the Hub, size and time of a local file.
        fetch: gives it as a local file; downloads it if need be.
    """

    name: str
    split: str
    version: str
    fetch: Callable[[], Path]


@dataclass(frozen=True)
class Dataset:
    """What an address stands for.

    Attributes:
        shards: in the order of their names.
        has_own_split: whether its splits are called train, dev, validation and test.
        licence: as the card gives it.
        info: for ``corpus.json``: where it is, which revision, config and splits.
        on_hub: whether a shard has to be downloaded to be looked into.
        n_announced: rows of these splits, as the card gives them; 0 if it does not.
    """

    shards: tuple[Shard, ...]
    has_own_split: bool
    licence: str | None
    info: dict[str, Any]
    on_hub: bool
    n_announced: int = 0


def open_dataset(source: str) -> Dataset:
    """The shards of a data set; on the Hub it is looked up, nothing is downloaded yet.

    Raises:
        ParlureError: no such data set, config or split, no parquet in it, several configs or splits and none chosen.
    """
    address = Address.parse(source)
    found = _on_hub(address) if address.on_hub else _in_folder(address)
    if not found.versions:
        hint = f"the Hub may have made some: {address.with_choice(revision='refs/convert/parquet')}"
        raise ParlureError(f"{source} holds no parquet file", hint if address.on_hub else "check the path")
    by_config = _configs(found.card, sorted(found.versions))
    config = _chosen("config", address.config, by_config, address)
    by_split = by_config[config]
    splits = _splits(address, by_split)
    shards = tuple(
        Shard(name, split, found.versions[name], lambda name=name: found.fetch(name))  # type: ignore[misc]
        for split in splits
        for name in by_split[split]
    )
    licence = found.card.get("license")
    info = {
        "path": address.place,
        "revision": found.revision,
        "config": config,
        "splits": splits,
    }
    own = all(map(is_own_split, splits))
    licence = ", ".join(licence) if isinstance(licence, list) else licence
    return Dataset(shards, own, licence, info, address.on_hub, _announced(found.card, config, splits))


@dataclass(frozen=True)
class _Found:
    """The parquet files at an address (name → version), its card's front matter, and how to get a file."""

    versions: Mapping[str, str]
    card: Mapping[str, Any]
    revision: str | None
    fetch: Callable[[str], Path]


def _in_folder(address: Address) -> _Found:
    import yaml
    from huggingface_hub import DatasetCard

    folder = Path(address.place)
    if folder.is_file():
        # one file of a data set says nothing of the others: its name is no split
        return _Found({folder.name: _stamp(folder)}, _LONE_FILE, None, lambda name: folder)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet") if path.is_file())
    readme = folder / "README.md"
    try:
        card = DatasetCard.load(readme).data.to_dict() if readme.is_file() else {}
    except (ValueError, yaml.YAMLError) as error:
        raise ParlureError(f"{readme}: its front matter cannot be read: {error}", "mend it, or move it away") from error
    return _Found({name: _stamp(folder / name) for name in names}, card, None, lambda name: folder / name)


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} bytes at {status.st_mtime_ns} ns"


def _on_hub(address: Address) -> _Found:
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    # with it, what the HTTP library raises when nobody answers; which library that is depends on the Hub's version
    no_answer: tuple[type[Exception], ...] = (OSError, HfHubHTTPError.__mro__[1])
    page = f"https://huggingface.co/datasets/{address.place}"
    try:
        info = HfApi().dataset_info(address.place, revision=address.revision, files_metadata=True)
    except GatedRepoError as error:
        raise ParlureError(f"{page} is gated", "ask for access on that page, then: hf auth login") from error
    except RevisionNotFoundError as error:
        raise ParlureError(f"{page} has no revision {address.revision}", "a branch, a tag or a commit") from error
    except RepositoryNotFoundError as error:
        raise ParlureError(f"there is no data set {page}", "check the name; if it is private: hf auth login") from error
    except no_answer as error:
        raise ParlureError(
            f"the Hub does not answer: {error}", "check the network; HF_ENDPOINT names a mirror"
        ) from error
    versions = {
        file.rfilename: f"sha256:{file.lfs.sha256}" if file.lfs else f"git:{file.blob_id}"
        for file in info.siblings or ()
        if file.rfilename.endswith(".parquet")
    }

    def fetch(name: str) -> Path:
        try:
            path = hf_hub_download(address.place, name, repo_type="dataset", revision=info.sha)
        except no_answer as error:
            raise ParlureError(
                f"{name} of {page} cannot be downloaded: {error}", "the same command goes on where it was"
            ) from error
        return Path(path)

    card: Any = info.card_data
    return _Found(versions, card.to_dict() if card else {}, info.sha, fetch)


def _announced(card: Mapping[str, Any], config: str, splits: Sequence[str]) -> int:
    """How many rows the card gives the splits of a config (``dataset_info`` in its front matter); 0 if it does not."""
    infos = card.get("dataset_info") or ()
    for info in [infos] if isinstance(infos, Mapping) else infos:
        if info.get("config_name", "default") == config:
            return sum(
                split.get("num_examples") or 0 for split in info.get("splits") or () if split.get("name") in splits
            )
    return 0


def _configs(card: Mapping[str, Any], names: list[str]) -> dict[str, dict[str, list[str]]]:
    """Config → split → names of shards."""
    found: dict[str, dict[str, list[str]]] = {}
    for config in card.get("configs") or ():
        for split, patterns in _patterns(config.get("data_files")):
            chosen = [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
            if chosen:
                found.setdefault(config["config_name"], {}).setdefault(split, []).extend(chosen)
    if found:
        return found
    for name in names:
        if match := _SHARD.match(name):
            config = "default" if match["config"] in _DEFAULT_CONFIGS else match["config"]
            found.setdefault(config, {}).setdefault(match["split"] or match["folder"], []).append(name)
        else:
            found.setdefault("default", {}).setdefault("train", []).append(name)
    return found


def _patterns(data_files: Any) -> Iterable[tuple[str, list[str]]]:
    """``(split, glob patterns)`` of a config in the forms that a card may have."""
    entries = data_files if isinstance(data_files, list) else [data_files]
    for entry in entries:
        if isinstance(entry, str):
            yield "train", [entry]
        elif isinstance(entry, Mapping) and "path" in entry:
            path = entry["path"]
            yield str(entry.get("split", "train")), path if isinstance(path, list) else [path]


def _chosen(kind: str, wanted: str | None, known: Mapping[str, Any], address: Address) -> str:
    if wanted is None and len(known) == 1:
        return next(iter(known))
    listed = ", ".join(sorted(known))
    if wanted is None:
        hint = f"choose one: {address.with_choice(**{kind: min(known)})}"
        raise ParlureError(f"{address.place} has several {kind}s: {listed}", hint)
    if wanted not in known:
        raise ParlureError(f"{address.place} has no {kind} {wanted}", f"it has: {listed}")
    return wanted


def _splits(address: Address, by_split: Mapping[str, Any]) -> list[str]:
    """The split that was chosen, or all of them if they are a person's train, dev and test.

    Splits of other names may hold the same speech twice, as ``segment`` and ``switch`` of TalkBank do.
    """
    if address.split is None and all(map(is_own_split, by_split)):
        return sorted(by_split)
    return [_chosen("split", address.split, by_split, address)]
