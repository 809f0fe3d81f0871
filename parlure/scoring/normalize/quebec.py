"""Profile ``fr-qc``: ``fr``, and a closed list of what Québec says otherwise as the standard's words.

Whether a transcriber writes ``pis`` or ``puis``, ``chu`` or ``je suis`` is often a matter of habit, not of what was
said; this profile says how much of an error rate is that. It is lenient: ``pis`` and ``puis`` are two words to a
linguist, so the headline stays ``fr``, where they differ.
"""

from __future__ import annotations

import re

from parlure.scoring.normalize.french import ELISIONS, normalize_french

VARIANTS = {
    "pis": "puis",
    "icitte": "ici",
    "ouais": "oui",
    "ouin": "oui",
    "moé": "moi",
    "toé": "toi",
    "ben": "bien",
    "pus": "plus",
    "chu": "je suis",
    "chus": "je suis",
    "chuis": "je suis",
    "tsé": "tu sais",
    "tsais": "tu sais",
    "faque": "fait que",
    "fak": "fait que",
    "ya": "y a",
    "asteure": "à cette heure",
    "astheure": "à cette heure",
    "pasque": "parce que",
    "passque": "parce que",
    "parsque": "parce que",
    "quèque": "quelque",
    "v'là": "voilà",
    "p't'être": "peut être",
    "ptêtre": "peut être",
    "p'têtre": "peut être",
    "ptêt": "peut être",
    "p'têt": "peut être",
    **{f"p{apostrophe}tit{ending}": f"petit{ending}" for apostrophe in ("'", "") for ending in ("", "e", "s", "es")},
}
# j'sais, d'la, qu'tu: a mute e left out before a consonant. Not l' and t', which may be la and tu.
_MUTE = {elision: elision[:-1] + "e" for elision in ELISIONS if elision not in ("l'", "t'")}
_CONSONANT = frozenset("bcdfgjklmnpqrstvwxz")
_PHRASES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\bt' (?:sais|sé)\b", "tu sais"),
        (r"\bc' tt?e\b", "cette"),
        (r"\bp't être\b", "peut être"),
        (r"\bje vas?\b", "je vais"),
        (r"\bch'(?=\w)", "je "),
        (r"\b(?:ça )+(?=fait qu(?:e\b|'))", ""),
        (r"\bil y (?=(?:a|avait|aura|aurait|en a|en avait)\b)", "y "),
        (r"\bil (?=(?:faut|fallait|faudra|faudrait)\b)", ""),
    )
)


def _once(text: str) -> str:
    for pattern, replacement in _PHRASES:
        text = pattern.sub(replacement, text)
    words = text.split()
    return " ".join(
        _MUTE[word] if word in _MUTE and after[0] in _CONSONANT else VARIANTS.get(word, word)
        for word, after in zip(words, [*words, " "][1:], strict=True)
    )


def normalize_quebec(text: str) -> str:
    """The words of ``fr``, Québec's variants replaced by the standard's; see ``VARIANTS`` and the phrases after it."""
    text = normalize_french(text)
    while (once := _once(text)) != text:
        text = normalize_french(once)
    return text
