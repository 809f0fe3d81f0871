"""What a licence of data asks of what is made from it, and where that meets the licence of a model.

Whether a model is a work derived from the recordings it was tuned on is not settled, and this is no legal advice: the
careful reading is taken, every conflict has a name, and a person who knows better accepts it by that name. Terms are
those of the licences' own texts (creativecommons.org/licenses, opensource.org, opendatacommons.org).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from parlure.shipping.sections import public_name


class Terms(NamedTuple):
    """What a licence asks of those who pass on what is made from the work.

    Attributes:
        non_commercial: nobody may use it commercially.
        no_derivatives: what is made from it may not be passed on.
        share_alike: it has to be passed on under the same licence.
    """

    non_commercial: bool = False
    no_derivatives: bool = False
    share_alike: bool = False


class Conflict(NamedTuple):
    """Something to be settled before anything is passed on.

    Attributes:
        name: by which a person accepts it.
        reason: a sentence.
    """

    name: str
    reason: str


_FREE = ("cc0-1.0", "pddl", "odc-by", "cc-by-{}", "apache-2.0", "mit", "bsd-3-clause", "bsd-2-clause", "unlicense")
_VERSIONS = ("2.0", "2.5", "3.0", "4.0")
_CC = {
    "cc-by-{}": Terms(),
    "cc-by-sa-{}": Terms(share_alike=True),
    "cc-by-nc-{}": Terms(non_commercial=True),
    "cc-by-nd-{}": Terms(no_derivatives=True),
    "cc-by-nc-sa-{}": Terms(non_commercial=True, share_alike=True),
    "cc-by-nc-nd-{}": Terms(non_commercial=True, no_derivatives=True),
}
# by the names that the Hub gives them
LICENCES: dict[str, Terms] = {
    **{name: Terms() for name in _FREE if "{}" not in name},
    **{name.format(version): terms for name, terms in _CC.items() for version in _VERSIONS},
    "odbl": Terms(share_alike=True),
    "gpl-3.0": Terms(share_alike=True),
    "agpl-3.0": Terms(share_alike=True),
}
# what OpenAI and Hugging Face say of their own Whispers on the Hub, as of 2026
_BASES = (("openai/whisper-large-v3-turbo", "mit"), ("openai/whisper-", "apache-2.0"), ("distil-whisper/", "mit"))


def licence_of_base(base: str) -> str | None:
    """The licence of a base model; None is not known here."""
    if base == "nano":
        return "apache-2.0"
    return next((licence for start, licence in _BASES if base.startswith(start)), None)


def hub_name(licence: str) -> str:
    """A licence as the Hub writes it: ``cc-by-nc-sa-4.0`` for ``CC BY-NC-SA 4.0``."""
    return re.sub(r"[\s_]+", "-", licence.strip().lower())


def conflicts(data: str | None, model: str | None, base: str) -> Iterator[Conflict]:
    """What stands against publishing a model.

    Args:
        data: licence of the recordings, several separated by commas; None is not known.
        model: licence that the model is to have; None is not said.
        base: the model that was tuned: nano, a hub id, or a folder.
    """
    if model is None:
        yield Conflict("no-model-licence", "nothing says under which licence the model is")
    terms = LICENCES.get(model or "")
    if model is not None and terms is None:
        yield Conflict("unknown-licence", f"what {model} asks is not known here")
    for one in _each(data):
        yield from _of_data(one, model, terms)
    if licence_of_base(base) is None:
        yield Conflict("unknown-base", f"the licence of the base {public_name(base)} is not known here")


def conflicts_of_data(data: str | None) -> Iterator[Conflict]:
    """What stands against publishing recordings themselves."""
    for one in _each(data):
        if one is None:
            yield Conflict("no-data-licence", "the corpus does not say under which licence its recordings are")
        elif (terms := LICENCES.get(one)) is None:
            yield Conflict("unknown-licence", f"what {one} asks is not known here")
        elif terms.no_derivatives:
            yield Conflict(
                "no-derivatives", f"{one} lets nobody pass on what is made from the work, such as clips of it"
            )


def _each(data: str | None) -> list[str | None]:
    return [None] if not data else [hub_name(one) for one in data.split(",")]


def _of_data(data: str | None, model: str | None, terms: Terms | None) -> Iterator[Conflict]:
    """What the licence of recordings has against that of a model."""
    if data is None:
        yield Conflict("no-data-licence", "the corpus does not say under which licence its recordings are")
        return
    asked = LICENCES.get(data)
    if asked is None:
        yield Conflict("unknown-licence", f"what {data} asks is not known here")
        return
    if asked.no_derivatives:
        yield Conflict(
            "no-derivatives", f"the recordings are under {data}, which lets nobody pass on what is made of them"
        )
    if model is None or terms is None:
        return
    if asked.non_commercial and not terms.non_commercial:
        yield Conflict(
            "non-commercial", f"the recordings are under {data}, and {model} lets anybody earn money with them"
        )
    if asked.share_alike and not _is_alike(data, model):
        yield Conflict(
            "share-alike", f"what is made of recordings under {data} is to be under the same licence, and not {model}"
        )


def _is_alike(data: str, model: str) -> bool:
    """Whether a licence is the same, in this version or a later one, as Creative Commons allows."""
    kind, _, version = data.rpartition("-")
    other, _, later = model.rpartition("-")
    return data == model or (data.startswith("cc-") and kind == other and later >= version)
