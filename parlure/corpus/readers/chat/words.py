"""One word as CHAT writes it → as it is spelt."""

from __future__ import annotations

import re
from typing import NamedTuple

from parlure.corpus.readers.chat.marks import AS, Marks
from parlure.corpus.readers.chat.refusal import RefusalError, malformed

# pitch, loudness, pace, voice, stress, latching, laughter inside a word: https://ca.talkbank.org/codes.html
PROSODY = "↑↓⇗↗→↘⇘∞≈≋≡∙∆∇⁎⁇°◉▁▔☺♋∬Ϋ∲§∾↻⤴⤵Ἡ↫⁑⤇⤆≠ˈˌꜛꜜ"
_SOUND = re.compile(rf"(?<!\d)°|[{PROSODY.replace('°', '')}^]|(?<!\d):|:(?!\d)")  # 20° and 14:30 are no marks
# le@s:eng, mot@z:tic, bibi@f$n: what kind of word it is
_SUFFIX = re.compile(r"(?P<word>.+?)@(?P<kind>[a-z]{1,4})(?P<more>(?::[\w+&-]+)?(?:\$[\w:&-]+)?)")
_PHONETIC = ("u", "phon")
# by itself or as a part: xxx_xxx; but not www.ici.ca
_UNHEARD = re.compile(r"(?<![^\W_])(?:xxx?|yyy?|www|XXX|YYY|WWW)(?![^\W_])(?!\.\w)")
_STUTTER = re.compile("↫([^↫]*)↫")
_PAUSE = re.compile(r"\([\d:.]+\)")
_LINK = re.compile(r"(?<=[^\W_]|['’.])[+_](?=[^\W_]|['’])")
_CAPITALS = re.compile(r"(?:[^\W\d_]_)+[^\W\d_]_?")
# what no spelling has: a code that is not known here must not become text
_RESIDUE = re.compile(r"[\[\]<>@+_~{}|\\()=#*\x00-\x1f\x7f]|^&")


class Spelt(NamedTuple):
    """The text of a word, empty if none is to be written; ``unheard``: something was said that nobody wrote down."""

    text: str
    unheard: bool = False


_NOTHING = Spelt("")


def spell(word: str, marks: Marks) -> Spelt:
    """A word, filler, fragment or event as it is written.

    Args:
        word: without the codes behind it.
        marks: a choice for every mark.

    Raises:
        RefusalError: a mark that the choices reject, or a code that is not known.
    """
    if word == "0":  # an action without a word
        return _NOTHING
    if word[0] == "&":
        return _ampersand(word, marks)
    if omitted := re.fullmatch(r"0[0*]?(?=[^\W\d_])(.+)", word):
        return _NOTHING if marks["unsaid"] == "drop" else _plain(omitted[1], marks)
    return _plain(word, marks)


def _ampersand(word: str, marks: Marks) -> Spelt:
    """What begins with &: events, fillers, fragments, sounds, and what somebody else said in between."""
    if re.match(r"&[{}]", word):  # begin and end of a long event
        return _NOTHING
    if word.startswith("&="):
        name = word[2:].replace(":", " ").replace("_", " ").strip()
        return Spelt(f"[{name}]") if marks["events"] == "brackets" and name else _NOTHING
    if word.startswith("&*"):
        said = re.split("[:=]", word, maxsplit=1)[-1]
        return _plain(said, marks) if marks["interposed"] == "keep" and not said.startswith("&") else _NOTHING
    mark = {"-": "fillers", "~": "nonwords"}.get(word[1:2], "fragments")
    choice = marks[mark]
    said = word[2:] if word[1:2] in ("-", "~", "+") else word[1:]
    if not said:
        raise malformed(f"{word} stands before no word")
    if choice == "drop":
        return _NOTHING
    spelt = _plain(said, marks)
    return Spelt(spelt.text.rstrip("-") + "-") if choice == "dash" and spelt.text else spelt


def _plain(word: str, marks: Marks) -> Spelt:
    suffix = _SUFFIX.fullmatch(word)
    if suffix is not None:
        word = suffix["word"]
        if suffix["kind"] in _PHONETIC:
            return _phonetic(word, marks)
        if suffix["kind"] == "s" and marks["switches"] == "reject":
            raise RefusalError("unwanted_mark", f"{suffix[0]} is of another language: switches=reject")
    word = _PAUSE.sub("", word)
    if _UNHEARD.search(_SOUND.sub("", word)):
        return _unheard(word, marks)
    if marks["prosody"] == "drop":
        word = _STUTTER.sub("" if marks["fragments"] == "drop" else r"\1-", word)  # ↫j-j↫jamais
        word = _SOUND.sub("", word)
    word = _shortened(word, marks)
    word = _linked(word, marks["compounds"])
    if found := _RESIDUE.search(word):
        raise malformed(f"{word} has a {found[0]!r} that is no code known here")
    if word and not any(map(str.isalnum, word)) and set(word) & set(".,:;"):
        raise malformed(f"{word} is no word")
    return Spelt(word)


def _phonetic(word: str, marks: Marks) -> Spelt:
    if marks["phonetic"] == "reject":
        raise RefusalError("unintelligible", f"{word}@u is in phonetic letters: phonetic=keep or drop takes the row")
    return Spelt(word) if marks["phonetic"] == "keep" else Spelt("", unheard=True)


def _unheard(word: str, marks: Marks) -> Spelt:
    choice = marks["unintelligible"]
    if choice == "reject":
        sentence = f"{word}: somebody speaks and no text says what; unintelligible=drop or as:TEXT takes the row"
        raise RefusalError("unintelligible", sentence)
    return Spelt("", unheard=True) if choice == "drop" else Spelt(choice.removeprefix(AS).strip())


def _shortened(word: str, marks: Marks) -> str:
    """``j(e)`` with or without its parenthesis; a word all in parentheses was not said."""
    whole = re.fullmatch(r"\(([^()]*)\)", word)
    if whole is not None:
        return whole[1] if marks["unsaid"] == "keep" else ""
    return re.sub(r"\(([^()]*)\)", r"\1" if marks["shortenings"] == "full" else "", word)


def _linked(word: str, choice: str) -> str:
    if choice == "space" and _CAPITALS.fullmatch(word) and word == word.upper():  # F_B_I
        return word.replace("_", "")
    return _LINK.sub({"space": " ", "hyphen": "-", "join": ""}[choice], word)
