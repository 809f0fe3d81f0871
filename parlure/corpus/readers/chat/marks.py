"""What becomes of each mark of a CHAT transcript: the choices, the one that is taken unless told otherwise, and why.

The defaults are for a verbatim recogniser: what can be heard is written, in ordinary spelling and punctuation; what
was heard and not written down makes a row that would teach the model to leave words out, so it is rejected.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import NamedTuple

from parlure.errors import ParlureError

AS = "as:"  # a choice that takes a text: as:(inaudible)
Marks = Mapping[str, str]  # the choice for every mark


class Mark(NamedTuple):
    """One mark.

    Attributes:
        written: how it looks in a transcript, as Markdown.
        choices: what can become of it; the first is the default. ``as:`` stands for ``as:TEXT``.
        why: one line on the default.
    """

    written: str
    choices: tuple[str, ...]
    why: str


MARKS: dict[str, Mark] = {
    "fillers": Mark("`&-euh`", ("keep", "drop"), "it is heard; a model taught without it is charged for hearing it"),
    "fragments": Mark(
        "`&+cou`, old `&cou`, `↫j↫jamais`",
        ("dash", "keep", "drop"),
        "`cou-`: it is heard, and the dash says that the word broke off",
    ),
    "nonwords": Mark("`&~bababa`", ("keep", "drop"), "it is heard"),
    "unintelligible": Mark(
        "`xxx`, `yyy`, `www`", ("reject", "drop", AS), "somebody speaks and no text says what: it would teach omissions"
    ),
    "phonetic": Mark("`tamp@u`", ("reject", "drop", "keep"), "phonetic letters are not a spelling"),
    "guesses": Mark("`mot [?]`", ("keep", "reject"), "the transcriber's guess is better than a gap"),
    "alternatives": Mark("`chien [=? chat]`", ("first", "second"), "the transcriber put the likelier one first"),
    "retracings": Mark(
        "`<je veux> [/]`, `[//]`, `[///]`, `[/-]`, `[/?]`", ("keep", "drop"), "what is taken back was said all the same"
    ),
    "repeats": Mark("`non [x 3]`", ("expand", "once"), "it was said three times"),
    "replacements": Mark(
        "`pluss [: plus]`, `[:: plus]`",
        ("spoken", "target"),
        "the model hears the one; the target is an interpretation",
    ),
    "errors": Mark("`ils paye [*]`", ("keep", "reject"), "an error of the speaker's was said"),
    "shortenings": Mark("`j(e)`", ("full", "spoken"), "`je`: the word was said, and this is how it is spelt"),
    "unsaid": Mark("`0le`, `(il)`", ("drop", "keep"), "the whole word was not said"),
    "events": Mark("`&=rire`", ("drop", "brackets"), "no word; `brackets` writes `[rire]`"),
    "interposed": Mark("`&*MAR:mhm`", ("drop", "keep"), "it is another speaker's word"),
    "pauses": Mark("`(.)`, `(..)`, `(1.2)`, `#`", ("drop", "ellipsis"), "silence is not written"),
    "incomplete": Mark(
        "`+...`, `+/.`, `+//.`, `+..?`, `+/?`, `+//?`",
        ("ellipsis", "period", "drop"),
        "ordinary writing ends what is not finished with `...`; a question keeps its `?`",
    ),
    "punctuation": Mark(
        "`oui , bon .`", ("attached", "spaced", "drop"), "`oui, bon.`: the space is for CLAN, no writing has it"
    ),
    "satellites": Mark("`marie ‡ viens`, `oui „ hein`", ("comma", "drop"), "ordinary writing has a comma there"),
    "quotations": Mark('`“ ”`, `"`', ("drop", "keep"), "a quotation mark is not heard, and Whisper does not write it"),
    "compounds": Mark(
        "`parce+que`, `Trois_Rivières`",
        ("space", "hyphen", "join"),
        "most are written as words; single capitals as one: `T_V` is `TV`",
    ),
    "prosody": Mark(
        "`ou:i`, `n^on`, `↑ ↓ ⇗ ↗ → ↘ ⇘ ° ∆ ∇ ◉ ▁ ▔ ☺ ∬ ˈ ≈ …`",
        ("drop", "keep"),
        "how it sounds is not how it is spelt",
    ),
    "overlaps": Mark(
        "`<oui> [>]`, `[<]`, `+<`, `⌈oui⌉`, or the times",
        ("keep", "reject"),
        "both rows are kept and tagged `overlap`: people do talk at once",
    ),
    "switches": Mark("`le@s:eng`, `[- eng]`", ("keep", "reject"), "the word was said; `[- eng]` is the row's language"),
}


def chosen_marks(given: Mapping[str, str]) -> dict[str, str]:
    """A choice for every mark: the person's, else the default.

    Raises:
        ParlureError: there is no such mark, or no such choice for it.
    """
    chosen = {name: mark.choices[0] for name, mark in MARKS.items()}
    for name, choice in given.items():
        if name not in MARKS:
            close = difflib.get_close_matches(name, MARKS, n=1)
            hint = f"did you mean {close[0]}" if close else f"known are {', '.join(MARKS)}"
            raise ParlureError(f"--marks: there is no mark {name}", hint)
        choices = MARKS[name].choices
        takes_text = AS in choices and choice.startswith(AS) and choice.removeprefix(AS).strip()
        if choice == AS or not (choice in choices or takes_text):
            listed = "|".join(f"{one}TEXT" if one == AS else one for one in choices)
            raise ParlureError(f"--marks: {name} cannot be {choice or 'nothing'}", f"{name}={listed}")
        chosen[name] = choice
    return chosen


def marks_of(text: str | None) -> dict[str, str]:
    """``fillers=keep,fragments=drop`` as the choices that it names.

    Raises:
        ParlureError: a part is not ``mark=choice``, or what :func:`chosen_marks` raises.
    """
    given: dict[str, str] = {}
    for part in (text or "").split(",") if text is not None else []:
        name, equals, choice = part.partition("=")
        if not equals:
            raise ParlureError(
                f"--marks: {part.strip() or 'nothing'} is not mark=choice", "--marks fillers=drop,pauses=drop"
            )
        given[name.strip()] = choice.strip()
    chosen_marks(given)
    return given
