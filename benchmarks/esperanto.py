"""Esperanto telephone talk: a small grammar, for a language that Whisper lacks and espeak-ng speaks.

Endings are put on as the language does it: nouns ``-o``, adjectives ``-a``, both with ``-j`` in the plural and ``-n``
as an object; verbs ``-as``, ``-is``, ``-os``, ``-us``, ``-u`` and ``-i``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from nano.grammar import Grammar

Maker = Callable[[random.Random], str]


def _roots(text: str) -> list[str]:
    return text.split()


_NOUNS = _roots("""
hund kat dom libr leter tabl seĝ pord fenestr ĝarden arb flor strat urb vilaĝ mont river mar lag naĝej
stacidom trajn buŝ biciklet aŭt ŝip kart mon horloĝ telefon bild kant muzik amik najbar frat fil patr knab
instruist kuracist vendist policist lernej hospital preĝej merkat vendej restoraci hotel ĉambr lit kuirej glas
tas forn pan fromaĝ lakt kaf te suk akv sup pom pir ĉeriz brasik terpom viand fiŝ ov kuk sal ŝuker manĝ vort
demand respond ŝtof ĉapel ŝu mantel poŝ ĉemiz gazet ĵurnal skatol ŝlosil lamp kandel fajr neĝ pluv vent sun
lun stel ĉiel nub vetur voj pont kunven projekt labor vojaĝ ludil pilk ĝoj problem rakont fest
""")
_PEOPLE = _roots("""
amik najbar frat fil patr knab instruist kuracist vendist policist onkl gast pacient klient direktor
""")
_PLACES = _roots("""
urb vilaĝ stacidom lernej hospital preĝej merkat vendej restoraci hotel ĝarden kuirej strat pont mont lag
""")
_ADJECTIVES = _roots("""
grand et bel nov malnov jun maljun bon malbon rapid malrapid varm malvarm ruĝ blu verd flav blank nigr alt
malalt long mallong facil malfacil feliĉ malfeliĉ riĉ malriĉ pur kar interes grav simpl fort saĝ ĝentil
trankvil lac
""")
_TRANSITIVE = _roots("""
vid aŭd aĉet vend trov serĉ perd port send ricev skrib leg kant aŭskult manĝ trink kuir lav bezon am ŝat
forges memor montr ferm malferm renkont invit help ripar ŝanĝ don pren atend prepar vizit elekt pag
""")
_INTRANSITIVE = _roots("""
dorm kur marŝ vojaĝ loĝ labor rid plor lud kant sid star ven ir rest danc naĝ parol ripoz fal
""")
_PRONOUNS = ("mi", "vi", "li", "ŝi", "ni", "ili")
_TENSES = ("as", "is", "os")
_NUMBERS = ("du", "tri", "kvar", "kvin", "ses", "sep", "ok", "naŭ", "dek", "dek du", "dudek", "tridek kvin", "cent")


def _noun_phrase(nouns: Sequence[str], *, is_object: bool = False, is_one: bool = False) -> Maker:
    """A noun with what may stand before it; ``is_one``: never several."""

    def make(rng: random.Random) -> str:
        n, j = "n" if is_object else "", "" if is_one else rng.choice(["", "", "j"])
        if not is_one and rng.random() < 0.15:
            return f"{rng.choice(_NUMBERS)} {rng.choice(nouns)}oj{n}"
        adjective = f"{rng.choice(_ADJECTIVES)}a{j}{n} " if rng.random() < 0.4 else ""
        owner = rng.choice(["la", "la", "la", f"mia{j}{n}", f"via{j}{n}", f"nia{j}{n}"])
        return f"{owner} {adjective}{rng.choice(nouns)}o{j}{n}"

    return make


def _verb(roots: Sequence[str], endings: Sequence[str]) -> Maker:
    return lambda rng: rng.choice(roots) + rng.choice(endings)


_RULES = {
    "sentence": [
        "<statement>.", "<statement>.", "<statement>.", "<statement>, sed <statement>.",
        "<statement> kaj <statement>.",
        "<statement>, ĉar <statement>.", "ĉu <statement> ?", "<asking> ?", "<asking> ?", "<greeting>, <wish>.",
        "<wish>.",
        "bonvolu <infinitive> <object> <when>.", "<when> <statement>.", "<greeting>, ĉu vi <transitive> <object> ?",
        "<one> estas <adjective> kaj <adjective>.", "dankon, <statement>.", "<number_line>.",
    ],
    "statement": [
        "<subject> <transitive> <object>", "<subject> <transitive> <object>",
        "<subject> <transitive> <object> <when>",
        "<subject> <intransitive> <place>", "<subject> <intransitive> <when>",
        "<person> <transitive> <object> <place>",
        "<thing> estas <place>", "<one> estis tre <adjective>", "<subject> volas <infinitive> <object>",
        "<subject> ne <transitive> <object>", "<subject> povas <go> <place>",
    ],
    "asking": [
        "kie estas <thing>", "kiam <subject> <transitive> <object>", "kial <subject> ne <transitive> <object>",
        "kiom kostas <thing>", "kiu <transitive> <object>", "kion vi <transitive> <when>",
        "ĉu vi povas <infinitive> <object>",
    ],
    "wish": [
        "mi ŝatus <infinitive> <object>", "mi volas <go> <place> <when>", "ni bezonas <object> <when>",
        "mi serĉas <object>", "mi telefonas pro <thing>",
    ],
    "greeting": ["bonan tagon", "saluton", "bonan matenon", "bonan vesperon", "jes", "ne", "pardonu"],
    "number_line": ["la numero estas <digits>", "mia telefonnumero estas <digits>", "tio kostas <number> eŭrojn"],
    "subject": ["<pronoun>", "<pronoun>", "<person>"],
    "place": ["en <where>", "ĉe <where>", "apud <where>", "antaŭ <where>", "hejme", "ĉi tie", "tie"],
    "when": [
        "hodiaŭ", "morgaŭ", "hieraŭ", "nun", "ĉiutage", "poste", "lundon", "mardon", "vendredon", "dimanĉon",
        "matene", "vespere",
        "post <number> tagoj", "je la <hour> horo", "baldaŭ", "antaŭ la vespermanĝo",
    ],
    "hour": ["unua", "dua", "tria", "kvara", "kvina", "sesa", "sepa", "oka", "naŭa", "deka"],
}  # fmt: skip

GRAMMAR = Grammar(
    language="eo",
    rules=_RULES,
    makers={
        "pronoun": lambda rng: rng.choice(_PRONOUNS),
        "person": _noun_phrase(_PEOPLE),
        "thing": _noun_phrase(_NOUNS),
        "one": _noun_phrase(_NOUNS, is_one=True),
        "object": _noun_phrase(_NOUNS, is_object=True),
        "where": _noun_phrase(_PLACES),
        "adjective": lambda rng: rng.choice(_ADJECTIVES) + "a",
        "transitive": _verb(_TRANSITIVE, _TENSES),
        "intransitive": _verb(_INTRANSITIVE, _TENSES),
        "infinitive": _verb(_TRANSITIVE, ("i",)),
        "go": _verb(_INTRANSITIVE, ("i",)),
        "number": lambda rng: rng.choice(_NUMBERS),
        "digits": lambda rng: " ".join(rng.choice(_NUMBERS[:8]) for _ in range(rng.randint(3, 5))),
    },
    finish=lambda text: re.sub(r"\s+([.,])", r"\1", text),
)
