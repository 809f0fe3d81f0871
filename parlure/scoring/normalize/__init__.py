"""Text as written → text as compared: the named, versioned, hashed profiles of scoring.

A word error rate is comparable with another only if both texts went through the same profile, so a report names
the profile, its version and the hash of its source. Corpora and hypotheses are stored raw; a profile is applied to
reference and hypothesis alike, at scoring and nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from parlure.errors import ParlureError
from parlure.scoring.normalize.basic import normalize_basic
from parlure.scoring.normalize.english import english_sources, normalize_english
from parlure.scoring.normalize.french import normalize_french
from parlure.scoring.normalize.plain import join_characters, normalize_plain
from parlure.scoring.normalize.quebec import normalize_quebec
from parlure.scoring.normalize.raw import normalize_raw


def _as_it_is(words: str) -> str:
    return words


def _none() -> list[Path]:
    return []


@dataclass(frozen=True)
class Profile:
    """One way of making two texts comparable.

    Attributes:
        name: how commands and reports call it.
        version: raised by hand whenever any text comes out differently.
        description: one line for a person.
        normalize: text → words joined by single spaces, none at the ends.
        sources: the files of this folder that decide what comes out; their bytes make the hash.
        packaged: further such files, from packages.
        characters: what ``normalize`` returned → the characters that a character error rate counts.
        lenient: whether words of a variety count as the standard's. A report never leads with such a profile.
    """

    name: str
    version: str
    description: str
    normalize: Callable[[str], str]
    sources: tuple[str, ...]
    packaged: Callable[[], list[Path]] = _none
    characters: Callable[[str], str] = _as_it_is
    lenient: bool = False

    def words(self, text: str) -> list[str]:
        """The words of a text, as this profile counts them."""
        return self.normalize(text).split()


_RAW = Profile("raw", "1", "as written: only Unicode composition and white space", normalize_raw, ("raw.py",))
_BASIC = Profile(
    "basic", "1", "OpenAI's BasicTextNormalizer, diacritics kept", normalize_basic, ("basic.py", "characters.py")
)
_PLAIN = Profile(
    "plain",
    "1",
    "any language and script: case, punctuation and symbols made alike, combining marks kept",
    normalize_plain,
    ("plain.py", "characters.py"),
    characters=join_characters,
)
_ENGLISH = Profile(
    "en", "1", "OpenAI's EnglishTextNormalizer", normalize_english, ("english.py",), packaged=english_sources
)
_FRENCH_SOURCES = ("french.py", "french_numbers.py", "french_number_words.py", "french_telephone.py", "characters.py")
_FRENCH = Profile(
    "fr",
    "3",
    "French: case, punctuation, elision, hyphens, numbers, hours, money, telephone numbers and titles made alike",
    normalize_french,
    _FRENCH_SOURCES,
)
_QUEBEC = Profile(
    "fr-qc",
    "2",
    "fr, and what Québec says otherwise (pis, icitte, chu, tsé, fait que) as the standard's words; lenient",
    normalize_quebec,
    (*_FRENCH_SOURCES, "quebec.py"),
    lenient=True,
)

PROFILES: Mapping[str, Profile] = {
    profile.name: profile for profile in (_RAW, _BASIC, _PLAIN, _ENGLISH, _FRENCH, _QUEBEC)
}
_OF_LANGUAGE = {"en": "en", "english": "en", "fr": "fr", "french": "fr"}
_BESIDE_HEADLINE = {"fr": ("fr-qc",)}


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
        ParlureError: there is no profile of that name, or a package that it rests on is not installed.
    """
    profile = get_profile(name)
    digest = hashlib.sha256()
    for path in [*map(Path(__file__).with_name, profile.sources), *profile.packaged()]:
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]


def headline_profile(language: str | None) -> str:
    """The profile whose rate a report leads with.

    Args:
        language: a code such as ``fr``, ``fr-CA`` or ``en_US``; None where unknown.

    Returns:
        ``en`` for English, ``fr`` for French, ``plain`` for any other language.
    """
    return _OF_LANGUAGE.get((language or "").lower().replace("_", "-").split("-")[0], "plain")


def check_headline(name: str) -> str:
    """The name again, if a report may lead with that profile.

    Raises:
        ParlureError: there is no profile of that name, or it is lenient.
    """
    if get_profile(name).lenient:
        strict = name.split("-")[0]
        raise ParlureError(
            f"{name} cannot be the headline: it takes what one variety says for the standard's words",
            f"lead with {strict} and set {name} beside it: --profile {strict} --profile {name}",
        )
    return name


def profiles_for(languages: Iterable[str | None]) -> tuple[str, ...]:
    """The profiles that a report on utterances in these languages shows.

    Returns:
        ``raw``, ``basic``, the headline profile of each language, and what is set beside it (``fr-qc`` for French).
    """
    headlines = list(dict.fromkeys(map(headline_profile, languages)))
    beside = [name for headline in headlines for name in _BESIDE_HEADLINE.get(headline, ())]
    return ("raw", "basic", *headlines, *beside)
