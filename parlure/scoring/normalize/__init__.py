"""Text as written → text as compared: the named, versioned, hashed profiles of scoring.

A word error rate is comparable with another only if both texts went through the same profile, so a report names
the profile, its version and the hash of its source. Corpora and hypotheses are stored raw; a profile is applied to
reference and hypothesis alike, at scoring and nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from parlure.errors import ParlureError
from parlure.scoring.normalize.basic import normalize_basic
from parlure.scoring.normalize.french import normalize_french
from parlure.scoring.normalize.raw import normalize_raw


@dataclass(frozen=True)
class Profile:
    """One way of making two texts comparable.

    Attributes:
        name: how commands and reports call it.
        version: raised by hand whenever any text comes out differently.
        description: one line for a person.
        normalize: text → words joined by single spaces, none at the ends.
        sources: the files of this folder that decide what comes out; their bytes make the hash.
    """

    name: str
    version: str
    description: str
    normalize: Callable[[str], str]
    sources: tuple[str, ...]

    def words(self, text: str) -> list[str]:
        """The words of a text, as this profile counts them."""
        return self.normalize(text).split()


_RAW = Profile("raw", "1", "as written: only Unicode composition and white space", normalize_raw, ("raw.py",))
_BASIC = Profile("basic", "1", "OpenAI's BasicTextNormalizer, diacritics kept", normalize_basic, ("basic.py",))
_FRENCH = Profile(
    "fr",
    "1",
    "French: case, punctuation, elision, hyphens, numbers, hours, money and titles made alike",
    normalize_french,
    ("french.py", "french_numbers.py"),
)

PROFILES: Mapping[str, Profile] = {profile.name: profile for profile in (_RAW, _BASIC, _FRENCH)}


def get_profile(name: str) -> Profile:
    """The profile of a name.

    Raises:
        ParlureError: there is none of that name; the hint gives the closest ones.
    """
    if name in PROFILES:
        return PROFILES[name]
    close = get_close_matches(name, PROFILES, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(close)}?" if close else f"profiles are {', '.join(PROFILES)}"
    raise ParlureError(f"there is no scoring profile called {name}", hint)


def profile_hash(name: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a profile's source, line ends unified.

    It changes with every edit, even where a version was not raised by oversight.

    Raises:
        ParlureError: there is no profile of that name.
    """
    digest = hashlib.sha256()
    for source in get_profile(name).sources:
        digest.update(Path(__file__).with_name(source).read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]


def headline_profile(language: str | None) -> str:
    """The profile whose rate a report leads with: ``fr`` for French (``fr``, ``fr-CA``, …), else ``basic``."""
    return "fr" if (language or "").lower().replace("_", "-").split("-")[0] in ("fr", "french") else "basic"
