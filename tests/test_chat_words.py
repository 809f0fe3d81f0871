"""What a line of CHAT says: for every mark and every choice, and that no code is ever left in the text."""

from __future__ import annotations

import re

import pylangacq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.whisper.tokenization_whisper import LANGUAGES

from parlure.corpus.readers.chat.languages import WHISPER_CODES, whisper_code
from parlure.corpus.readers.chat.marks import AS, MARKS, chosen_marks, marks_of
from parlure.corpus.readers.chat.refusal import RefusalError
from parlure.corpus.readers.chat.wording import word_utterance
from parlure.corpus.readers.chat.words import PROSODY
from parlure.errors import ParlureError


def text_of(line: str, marks: str = "") -> str:
    return word_utterance(line, chosen_marks(marks_of(marks or None))).text


# mark, choice, line, text; None: the utterance is refused
EACH_CHOICE = [
    ("fillers", "keep", "&-euh oui .", "euh oui."),
    ("fillers", "drop", "&-euh oui .", "oui."),
    ("fragments", "dash", "je vou &+cou couvre .", "je vou cou- couvre."),
    ("fragments", "keep", "&+cou couvre .", "cou couvre."),
    ("fragments", "drop", "&+cou &m couvre ↫j-j↫jamais .", "couvre jamais."),
    ("nonwords", "keep", "&~bababa oui .", "bababa oui."),
    ("nonwords", "drop", "&~bababa oui .", "oui."),
    ("unintelligible", "reject", "le xxx là .", None),
    ("unintelligible", "drop", "le xxx yyy là .", "le là."),
    ("unintelligible", AS, "le xxx , là .", "le (inaudible), là."),
    ("phonetic", "reject", "le tamp@u .", None),
    ("phonetic", "drop", "le tamp@u oui .", "le oui."),
    ("phonetic", "keep", "le tamp@u .", "le tamp."),
    ("guesses", "keep", "le <grand chat> [?] .", "le grand chat."),
    ("guesses", "reject", "le chat [?] .", None),
    ("alternatives", "first", "le chien [=? chat gris] dort .", "le chien dort."),
    ("alternatives", "second", "le chien [=? chat gris] dort .", "le chat gris dort."),
    ("retracings", "keep", "<je veux> [//] je [/] je viens .", "je veux je je viens."),
    ("retracings", "drop", "<je veux> [//] je [/] je [/-] il [/?] on [///] elle vient .", "elle vient."),
    ("repeats", "expand", "non [x 3] merci .", "non non non merci."),
    ("repeats", "once", "<ah non> [x 3] merci .", "ah non merci."),
    ("replacements", "spoken", "chus [: je suis] là .", "chus là."),
    ("replacements", "target", "chus [: je suis] pluss [:: plus] là .", "je suis plus là."),
    ("errors", "keep", "ils paye [* agr] .", "ils paye."),
    ("errors", "reject", "ils paye [*] .", None),
    ("shortenings", "full", "j(e) viens d(e) l'aut(re) bord .", "je viens de l'autre bord."),
    ("shortenings", "spoken", "l'aut(re) bord .", "l'aut bord."),
    ("unsaid", "drop", "0il faut (que) dire .", "faut dire."),
    ("unsaid", "keep", "0il faut (que) dire .", "il faut que dire."),
    ("events", "drop", "&=rire oui &=imit:chat .", "oui."),
    ("events", "brackets", "&=rire oui &=imit:chat .", "[rire] oui [imit chat]."),
    ("interposed", "drop", "oui &*MAR:mhm bon .", "oui bon."),
    ("interposed", "keep", "oui &*MAR:mhm bon .", "oui mhm bon."),
    ("pauses", "drop", "oui (.) bon (1.2) là # oui (0:01.5) .", "oui bon là oui."),
    ("pauses", "ellipsis", "oui (..) bon (.) .", "oui... bon."),
    ("incomplete", "ellipsis", "je voudrais +...", "je voudrais..."),
    ("incomplete", "period", "je voudrais +//.", "je voudrais."),
    ("incomplete", "drop", "je voudrais +/.", "je voudrais"),
    ("punctuation", "attached", "oui , c' est bon .", "oui, c'est bon."),
    ("punctuation", "spaced", "oui , c' est bon .", "oui , c' est bon ."),
    ("punctuation", "drop", "oui , c' est bon .", "oui c'est bon"),
    ("satellites", "comma", "marie ‡ viens „ hein ?", "marie, viens, hein?"),
    ("satellites", "drop", "marie ‡ viens „ hein ?", "marie viens hein?"),
    ("quotations", "drop", 'il dit “ je viens ” .', "il dit je viens."),
    ("quotations", "keep", 'il dit “ je viens ” .', "il dit “je viens”."),
    ("compounds", "space", "parce+que Trois_Rivières a la T_V .", "parce que Trois Rivières a la TV."),
    ("compounds", "hyphen", "arc+en+ciel Trois_Rivières .", "arc-en-ciel Trois-Rivières."),
    ("compounds", "join", "porte+manteau .", "portemanteau."),
    ("prosody", "drop", "ou:i ↑n^on ∆vite∆ °bas° ≠là ⇗", "oui non vite bas là"),
    ("prosody", "keep", "ou:i °bas° .", "ou:i °bas°."),
    ("overlaps", "keep", "<oui oui> [>] +< ⌈2 non⌉2 .", "oui oui non."),
    ("switches", "keep", "le meeting@s:eng là .", "le meeting là."),
    ("switches", "reject", "le meeting@s:eng là .", None),
]  # fmt: skip


@pytest.mark.parametrize(("mark", "choice", "line", "text"), EACH_CHOICE)
def test_every_choice_of_every_mark(mark: str, choice: str, line: str, text: str | None) -> None:
    chosen = f"{mark}={choice}{'(inaudible)' if choice == AS else ''}"
    if text is None:
        with pytest.raises(RefusalError) as caught:
            text_of(line, chosen)
        assert caught.value.reason == ("unintelligible" if mark in ("unintelligible", "phonetic") else "unwanted_mark")
    else:
        assert text_of(line, chosen) == text
    if choice == MARKS[mark].choices[0] and text is not None:
        assert text_of(line) == text  # the first choice is the default


def test_the_table_has_every_choice() -> None:
    known = {(name, choice) for name, mark in MARKS.items() for choice in mark.choices}
    tested = {(mark, choice) for mark, choice, _, _ in EACH_CHOICE}
    assert known - tested == {("overlaps", "reject")}  # the times decide too: tests/test_chat.py


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("oui.", "oui."),
        ("oui+...", "oui..."),
        ("oui +..?", "oui?"),
        ("oui +/?", "oui?"),
        ("oui +!?", "oui!?"),
        ("oui +.", "oui."),
        ('il dit +"/.', "il dit."),
        ('+" je viens +".', "je viens."),
        ("+^ oui .", "oui."),
        ("++ , oui .", "oui."),
        ("M. Roy a dit 3,5 pis 2.5 .", "M. Roy a dit 3,5 pis 2.5."),
        ("il est 14:30 pis 20° .", "il est 14:30 pis 20°."),
        ("oui , xxx [: peut-être] .", "oui, peut-être."),
        ("oui , <xxx xxx> [: peut-être bien] .", "oui, peut-être bien."),
        ("<tu [/] tu viens> [//] viens .", "tu tu viens viens."),
        ("oui [=! crie en riant] bon [!!] là [# 2.0] [% note] [= sa soeur] [^ bruit] .", "oui bon là."),
        ("oui . [+ gram] [+ exc]", "oui."),
        ("0 [=! pleure] .", ""),
        ("&=rire .", ""),
        ("&{l=rire oui &}l=rire .", "oui."),
        ("∙hhh oui hhh .", "oui."),
        ("°hh oui ·hh non .hh bon °h .", "oui non bon."),
        ("ben@d b@l gagou@f$n .", "ben b gagou."),
        ("oui .. .", "oui..."),
        ("‹oui› 〔non〕 .", "oui non."),
        ("www.ici.ca [/] www.ici.ca .", "www.ici.ca www.ici.ca."),
        ("wo(.)rd .", "word."),
        ("j' ai qu' un L' autre aujourd' hui .", "j'ai qu'un L'autre aujourd' hui."),
        ("oui , ‡ bon , .", "oui, bon."),
        ("y-a-tu , pantoute ; là : bon !", "y-a-tu, pantoute; là: bon!"),
        ("R&D 50% $5 .", "R&D 50% $5."),
    ],
)  # fmt: skip
def test_what_no_choice_changes(line: str, text: str) -> None:
    assert text_of(line) == text


@pytest.mark.parametrize(
    ("line", "reason", "sentence"),
    [
        ("le <grand chat .", "malformed_row", "a < is never closed"),
        ("le grand> chat .", "malformed_row", "a > closes nothing"),
        ("le [/ chat .", "malformed_row", "a [ is never closed"),
        ("le chat ] .", "malformed_row", "a ] closes nothing"),
        ("le chat . \x150_12", "malformed_row", "a time mark is never closed"),
        ("le chat . \x150-12\x15", "malformed_row", "the time mark '0-12' is not start_end in milliseconds"),
        ("le chat . \x1512_12\x15", "bad_span", "the time mark 12_12 ends at 0.012 s and starts at 0.012 s"),
        ("[/] le chat .", "malformed_row", "[/] stands behind no word"),
        ("le chat [bruit] .", "malformed_row", "[bruit] is no code known here"),
        ("le [bruit] chat .", "malformed_row", "[bruit] is no code known here"),
        ("le (parce que) .", "malformed_row", "(parce has a '(' that is no code known here"),
        ("ecris a@b.ca .", "malformed_row", "a@b.ca has a '@' that is no code known here"),
        ("le ↑.-. chat .", "malformed_row", ".- is no word"),
        ("le chat [x 0] .", "malformed_row", "[x 0] is no code known here"),
        ("le & chat .", "malformed_row", "& stands before no word"),
        ("xxx .", "unintelligible", "xxx: somebody speaks and no text says what; unintelligible=drop or as:TEXT takes"),
        ("xxx_xxx .", "unintelligible", "xxx_xxx: somebody speaks"),
        ("le tamp@u .", "unintelligible", "tamp@u is in phonetic letters: phonetic=keep or drop takes the row"),
    ],
)  # fmt: skip
def test_refused(line: str, reason: str, sentence: str) -> None:
    with pytest.raises(RefusalError) as caught:
        text_of(line)
    assert caught.value.reason == reason
    assert caught.value.sentence.startswith(sentence)


def test_speech_that_nobody_wrote_down_is_not_silence() -> None:
    for line in ("xxx .", "&=rire yyy ."):
        with pytest.raises(RefusalError, match="somebody speaks, and none of it was written down"):
            text_of(line, "unintelligible=drop")
    assert text_of("xxx .", "unintelligible=as:[...]") == "[...]."


def test_phrases_of_several_bullets() -> None:
    line = "bonjour \x150_900\x15 , <je \x151000_1500\x15 veux> [//] j(e) viens \x151500_2500\x15 . [+ x]"
    wording = word_utterance(line, chosen_marks({}))
    assert wording.text == "bonjour, je veux je viens."
    assert [(*phrase.times, phrase.text) for phrase in wording.phrases] == [
        (0.0, 0.9, "bonjour,"), (1.0, 1.5, "je"), (1.5, 2.5, "veux je viens.")
    ]  # fmt: skip
    dropped = word_utterance(line, chosen_marks({"retracings": "drop"}))
    assert dropped.text == "bonjour, je viens."
    assert [phrase.text for phrase in dropped.phrases] == ["bonjour,", "je viens."]
    assert len(dropped.times) == 3  # the utterance still lasts as long as all of its bullets


def test_overlap_and_language() -> None:
    chosen = chosen_marks({})
    for line in ("<oui> [>] .", "<ah <oui> [<1]> [/] bon .", "+< oui .", "⌈oui⌉ .", "ou⌊i ."):
        assert word_utterance(line, chosen).overlap, line
    assert not word_utterance("oui [!] .", chosen).overlap
    assert word_utterance("[- eng] yes .", chosen).language == "en"
    assert word_utterance("yes .", chosen).language is None


def test_languages_of_three_letters() -> None:
    assert (whisper_code("fra"), whisper_code("ENG-US"), whisper_code("fr"), whisper_code("iku")) == (
        "fr", "en", "fr", "iku"
    )  # fmt: skip
    assert set(WHISPER_CODES.values()) == set(LANGUAGES)


# ---- no code is ever left

# what may stand in a line, and the words that are written for it
_WORDS = {"oui": "oui", "j(e)": "je", "ou:i": "oui", "n^on": "non", "allô@i": "allô", "meeting@s:eng": "meeting",
          "↑là↑": "là", "°bas°": "bas", "∆vite∆": "vite", "⌈bon⌉": "bon", "arc+en+ciel": "arc en ciel", "T_V": "TV",
          "Trois_Rivières": "Trois Rivières", "&-euh": "euh", "&+cou": "cou-", "&~ba": "ba", "ˈdans": "dans",
          "chus [: je suis]": "chus", "paye [* agr]": "paye", "non [x 2]": "non non", "chat [?]": "chat",
          "chien [=? chat]": "chien", "xxx [: peut-être]": "peut-être", "“oui”": "oui", "b@l": "b"}  # fmt: skip
_NO_WORDS = ["&=rire", "(.)", "(1.2)", "0il", "(que)", "&*MAR:mhm", "‡", "„", ",", ";", "⇗", "→", "≈", "[= note]", "#"]
_ENDS = [".", "?", "!", "+...", "+/.", "+//.", "+..?", "+!?", '+"/.', "+.", "⇘", "", ". [+ gram]"]
_LINKERS = ["", "+< ", '+" ', "+^ ", "++ ", "+, ", "+≈ ", "[- fra] "]
_AFTER = ["", " [/]", " [//]", " [///]", " [>]", " [<]", " [!]", " [=! rit]", " [%act: pointe]", ' ["]', " [e]"]
_simple = st.one_of(
    st.sampled_from(sorted(_WORDS)).map(lambda word: (word, _WORDS[word])),
    st.sampled_from(_NO_WORDS).map(lambda mark: (mark, "")),
)
_grouped = st.tuples(st.lists(_simple, min_size=1, max_size=4), st.sampled_from(_AFTER)).map(
    lambda group: (f"<{' '.join(p for p, _ in group[0])}>{group[1]}", " ".join(said for _, said in group[0]))
)
_utterances = st.tuples(
    st.sampled_from(_LINKERS), st.lists(st.one_of(_simple, _grouped), max_size=8), st.sampled_from(_ENDS)
)
_LEFT = re.compile(
    rf"[\[\]<>@+_~{{}}|\\()#*\x15⌈⌉⌊⌋‡„“”^{PROSODY}]|(?:^|\s)&|\b(?:xxx|yyy|www)\b| [,.;?!](?!\w)|(?<!\d):\S"
)


@given(_utterances)
@settings(max_examples=250, deadline=None)
def test_proper_lines_are_their_words_and_nothing_else(utterance: tuple[str, list[tuple[str, str]], str]) -> None:
    linker, parts, end = utterance
    text = text_of(f"{linker}{' '.join(part for part, _ in parts)} {end}")
    assert _LEFT.search(text) is None, text
    words = [word for _, said in parts for word in said.split()]
    assert [word.strip(",;.?!") for word in text.split()] == words


@given(st.text(st.sampled_from('oui0x9 \x15[]<>()+-_/&=*@~^:"“”,.?!‡„⌈⌉↑°↫#|{}\\eè'), max_size=25))
@settings(max_examples=800, deadline=None)
def test_whatever_the_line_no_code_is_left(line: str) -> None:
    try:
        text = text_of(line)
    except RefusalError as refusal:
        assert refusal.sentence
    else:
        assert _LEFT.search(text.replace("°", "")) is None, (line, text)


# ---- the reference: pylangacq's audible text, where it leaves no code of its own

AUDIBLE = "punctuation=spaced,shortenings=spoken,fragments=keep"
COMPARED = [
    "&-euh j(e) vais .", "oui &+ve vers le (il) nord .", "<je vais> [/] je [//] tu vas .",
    "chus [: je suis] [* p] là .",
    "le chat@s:eng dort b@l .", "0il vient .", "n^on merci !", "+\" “je viens” .", "non [x 3] merci ?",
    "+< <oui> [>] ⌈non⌉ .", "yes [= a note] [=! crie] [% c] [+ gram] .", "chien [=? chat] ça [!] oui .",
    "&~ba oui (.) (1.2) .", "tu [///] il <va à> [/] va à Québec , c'est ça .",
]  # fmt: skip


def test_text_of_the_reference() -> None:
    lines = "".join(f"*MAR:\t{line}\n" for line in COMPARED)
    reference = pylangacq.CHAT.from_strs([f"@UTF8\n@Begin\n@Participants:\tMAR Adult\n{lines}@End\n"], strict=False)
    heard = [utterance.audible for utterance in reference.utterances()]
    assert [text_of(line, AUDIBLE) for line in COMPARED] == heard


# ---- how the choices are named


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("filler=keep", "--marks: there is no mark filler", "did you mean fillers"),
        ("zzz=keep", "--marks: there is no mark zzz", "known are fillers, fragments"),
        ("fillers=maybe", "--marks: fillers cannot be maybe", "fillers=keep|drop"),
        ("unintelligible=as:", "--marks: unintelligible cannot be as:", "unintelligible=reject|drop|as:TEXT"),
        ("fillers=", "--marks: fillers cannot be nothing", "fillers=keep|drop"),
        ("fillers", "--marks: fillers is not mark=choice", "--marks fillers=drop,pauses=drop"),
        ("fillers=keep,", "--marks: nothing is not mark=choice", "--marks fillers=drop,pauses=drop"),
    ],
)
def test_choices_that_there_are_not(text: str, message: str, hint: str) -> None:
    with pytest.raises(ParlureError) as caught:
        marks_of(text)
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)


def test_named_choices() -> None:
    assert marks_of(None) == {}
    assert marks_of(" fillers = drop,unintelligible=as:(inaudible)") == {
        "fillers": "drop", "unintelligible": "as:(inaudible)"
    }  # fmt: skip
    assert set(chosen_marks({})) == set(MARKS)
