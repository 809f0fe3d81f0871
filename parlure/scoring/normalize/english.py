"""Profile ``en``: the words of OpenAI's ``EnglishTextNormalizer``, by OpenAI's own rules and British spellings.

Rules and spellings come from the package whisper-normalization (MIT, 20 kB), which is that code of openai-whisper and
nothing else. The neighbours do not do: whisper-normalizer has gone its own way (it also takes ``kinda``, ``sorta``,
``dunno`` and ``cause`` apart), transformers has the rules without the spellings, and openai-whisper brings torch and
triton. With other spellings than OpenAI's 1739, English is not scored at all: the rate would be taken for comparable.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from parlure.errors import ParlureError

# SHA-256 of the mapping in whisper/normalizers/english.json of openai-whisper 20250625, keys sorted
_OPENAI_SPELLINGS = "a9514fed7a5a462d97b9a7a2f93d38e7ec098ad2dd4171096b9d9e7b2a8ccdec"
_PACKAGE = "whisper_normalization"
_REQUIREMENT = 'pip install "whisper-normalization==1.0.0"'
# Python converts no longer number (sys.int_info), so that OpenAI's code fails on a loop such as 0000…
_LONGEST_NUMBER = re.compile(r"(?:\d,?){4000}(?=\d)")


@cache
def _openai() -> Callable[[str], str]:
    """OpenAI's normaliser, its spellings checked.

    Raises:
        ParlureError: the package that holds it is missing, or holds other spellings.
    """
    try:
        from whisper_normalization.english import EnglishTextNormalizer
    except ImportError as error:
        raise ParlureError(
            "English cannot be scored: whisper-normalization, which holds OpenAI's rules, is not installed",
            _REQUIREMENT,
        ) from error
    normalizer: Callable[[str], str] = EnglishTextNormalizer()
    spellings = json.dumps(normalizer.standardize_spellings.mapping, sort_keys=True)  # type: ignore[attr-defined]
    if hashlib.sha256(spellings.encode()).hexdigest() != _OPENAI_SPELLINGS:
        raise ParlureError(
            "English cannot be scored: the British spellings in whisper-normalization are not OpenAI's", _REQUIREMENT
        )
    return normalizer


def normalize_english(text: str) -> str:
    """OpenAI's standard form of English text, white space unified.

    Numbers become digits (``twenty twenty`` is ``2020``), contractions full forms, British spellings American. Text in
    brackets, ``um`` and the like are deleted, so a text may come out empty.

    Raises:
        ParlureError: OpenAI's rules or spellings are not at hand; the hint says what to install.
    """
    return " ".join(_openai()(_LONGEST_NUMBER.sub(r"\g<0> ", text)).split())


def english_sources() -> list[Path]:
    """The files of whisper-normalization that decide what comes out.

    Raises:
        ParlureError: it is not installed.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        _openai()
        raise AssertionError(f"{_PACKAGE} can be imported but not found")
    return [Path(spec.origin).with_name(name) for name in ("basic.py", "english.py", "english.json")]
