"""espeak-ng's phonemes of French from France → the same sentence with a Québec accent.

    synthesize(quebec_phonemes(phonemes("la poutine de ma mère", "fr")), Voice("fr+f2"), is_phonemes=True)

Modelled, word by word (formants F1/F2 measured on the engine's own sound, since its ``fr`` voice has only the
vowels of France to build with):

- affrication of /t d/ before /i y j ɥ/: *tu dis* [tsy dzi];
- lax high vowels in final closed syllables, except before /r v z ʒ/: *vite* [vɪt] (``I``, 400/1930 Hz), *jupe* [ʒʏp]
  (``Y``, 450/1510 Hz: a little too open), *route* [rʊt] (``o``, 420/750 Hz: no nearer vowel is loud enough);
- diphthongs in final closed syllables: *mère, neige* [aɛ], *fort* [aɔ] and *peur* [aœ] before /r/, *pâte* [ɑɔ],
  *chose* [ou];
- nasal vowels in final syllables: *pain, quinze* [ɛ̃ɪ], *temps* [æ̃] (the engine's ``E~``, 650/1370 Hz), closed *chance*
  [ɑ̃u];
- final stressed /a/ → [ɔ]: *Canada, pas*, not after /w/ (*moi*).

Not modelled: the length that separates *fête* from *faite* and *maître* from *mettre* (lost in the engine's
mnemonics), final /ɛ/ → [æ] (*jamais*), *oi* as [we] (*moi*), /ɑ/ against /a/ before /r/ (*char*), laxing and devoicing
of high vowels in other syllables, simplified final clusters (*table* → [tab]), apical r, Québec's intonation.
What is modelled applies always, where a speaker would vary. Source: D. Dumas, Nos façons de parler, 1987.
"""

from __future__ import annotations

import re

# Longest first: espeak-ng reads mnemonics greedily. Anything else is one character, so no text is ever lost.
_TOKEN = re.compile(r"tS;?|dZ;?|oU|[A-Za-z@][~#^/;.:-]?\d?|.", re.DOTALL)
_STRESS = "',%="
_VOWELS = "@aeiouyAEIOVWY"  # first characters of vowel mnemonics; w is a glide in French

_AFFRICATES = {"t": "ts", "d": "dz"}
_HIGH_FRONT = ("i", "y", "j")  # espeak-ng writes ɥ as y
_LAX = {"i": "I", "y": "Y", "u": "o"}
_LENGTHENING = ("r", "v", "z", "Z")  # codas that keep a high vowel tense and make a mid one long
_BEFORE_LENGTHENING = {"E": "a-E"}
_BEFORE_R = {"O": "a-O", "W": "a-W2"}
_CLOSED = {"a:": "a-O", "o": "ow", "A~": "A~w", "E~": "E~I2"}
_OPEN = {"A~": "E~", "E~": "E~I2"}


def quebec_phonemes(mnemonics: str) -> str:
    """Rewrite what :func:`parlure.speech.synth.phonemes` says of a French text.

    Args:
        mnemonics: espeak-ng mnemonics of the voice ``fr``, words parted by spaces.

    Returns:
        Mnemonics of the same words; every one is known to the engine's ``fr`` voice.
    """
    return " ".join(_word(word) for word in mnemonics.split(" "))


def _word(word: str) -> str:
    tokens = _TOKEN.findall(word)
    nuclei = [place for place, token in enumerate(tokens) if token[0] in _VOWELS]
    rewritten = [_affricated(tokens, place) for place in range(len(tokens))]
    if nuclei:
        rewritten[nuclei[-1]] = _final_vowel(tokens, nuclei[-1])
    return "".join(rewritten)


def _affricated(tokens: list[str], place: int) -> str:
    following = next((token for token in tokens[place + 1 :] if token not in _STRESS), "")
    if following[:1] in _HIGH_FRONT:
        return _AFFRICATES.get(tokens[place], tokens[place])
    return tokens[place]


def _final_vowel(tokens: list[str], place: int) -> str:
    """The vowel of a word's last syllable, by what closes that syllable."""
    vowel = tokens[place]
    coda = [token for token in tokens[place + 1 :] if token[0].isalpha()]
    if not coda:
        before = [token for token in tokens[:place] if token not in _STRESS]
        if vowel == "a" and place and tokens[place - 1] in _STRESS:
            return "a" if before[-1:] == ["w"] else "O"
        return _OPEN.get(vowel, vowel)
    if coda[0] not in _LENGTHENING and vowel in _LAX:
        return _LAX[vowel]
    if vowel in _BEFORE_LENGTHENING and (coda in [[c] for c in _LENGTHENING] or coda == ["v", "r"]):
        return _BEFORE_LENGTHENING[vowel]
    if vowel in _BEFORE_R and coda == ["r"]:
        return _BEFORE_R[vowel]
    if vowel == "O" and coda == ["z"]:  # the engine's chose, which people say with /o/
        return _CLOSED["o"]
    return _CLOSED.get(vowel, vowel)
