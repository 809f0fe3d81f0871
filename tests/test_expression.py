"""What an expression keeps, that it is checked before it runs, and that nothing but an expression can be run."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_corpora import said

from parlure.corpus.editing.expression import parse_expression
from parlure.corpus.editing.fields import FIELDS
from parlure.errors import ParlureError

ONE = replace(
    said("a1", "bonjour xxx à vous", end=2.0),
    speaker="marie",
    session="call 7",
    channel=1,
    split="dev",
    tags=("gender=female", "age=twenties", "noisy", "years=31"),
)


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ('duration_s > 1 and language == "fr" and "gender=female" in tags and text matches "xxx"', True),
        ('duration_s > 1 and language == "fr" and "gender=female" in tags and not text matches "xxx"', False),
        ('tag.age == "twenties"', True),
        ('tag.age == "thirties"', False),
        ('tag["age"] != "thirties"', True),
        ("tag.years > 30 and tag.years <= 31", True),
        ("tag.age > 30", False),  # not a number: not known
        ('tag.region == "est"', False),
        ("tag.region is None", True),
        ("chars_per_s == 9 and n_words == 4 and n_chars == 18 and words_per_s == 2", True),
        ("n_segments == 0", True),
        ('speaker in ("marie", "jean")', True),
        ('speaker not in ["jean"]', True),
        ('split == "dev" or split == "test"', True),
        ("1 < duration_s < 2", False),
        ("1 < duration_s <= 2", True),
        ("start > -1", True),
        ('"xxx" in text', True),
        ('"gender=male" in tags', False),
        ("speaker in text", False),
        ('tag.age in tags or "noisy" in tags', True),
        ("speaker == session", False),
        ("start < end", True),
        ('session > "call 6"', True),
        ("channel in (0, 1)", True),
        ('text matches "^bon" and text matches "vous$"', True),
        (r'text matches "\bxxx\b" and text matches r"x{3}" and not text matches "\d"', True),
        ('text matches "matches"', False),
        ('  language == "fr"\n and not (speaker == "jean" or channel == 0)  ', True),
        ('text == "bonjour xxx à vous" and task == "transcribe"', True),
        ("prompt is None and speaker is not None and prompt == None and speaker != None", True),
    ],
)
def test_what_it_says_of_an_utterance(expression: str, holds: bool) -> None:
    assert parse_expression(expression).holds(ONE) is holds


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('speaker == "a"', False),
        ('speaker != "a"', True),
        ('speaker < "a"', False),
        ('speaker >= "a"', False),
        ('speaker in ("a", "b")', False),
        ('speaker not in ("a", "b")', True),
        ('speaker matches "."', False),
        ('"a" in speaker', False),
        ("speaker in tags", False),
        ("speaker == session", False),  # two people who are not known are not the same
        ("channel > 0", False),
        ("channel <= 0", False),
        ("tag.age > 3", False),
        ("speaker is None", True),
    ],
)
def test_what_is_not_known_is_equal_to_nothing(condition: str, holds: bool) -> None:
    unknown = said("a")
    assert parse_expression(condition).holds(unknown) is holds
    assert parse_expression(f"not {condition}").holds(unknown) is not holds


atoms = st.sampled_from(
    [
        "duration_s > 2",
        'speaker == "a"',
        'speaker != "b"',
        "channel < 1",
        '"x" in tags',
        'text matches "o"',
        "tag.n > 1",
        "session is None",
    ]
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
    ),
    max_leaves=6,
)
utterances = st.builds(
    said,
    st.just("u"),
    st.sampled_from(["oui", "allô", ""]),
    end=st.sampled_from([1.0, 3.0]),
    speaker=st.sampled_from([None, "a", "b"]),
    session=st.sampled_from([None, "s"]),
    channel=st.sampled_from([None, 0, 1]),
    tags=st.sampled_from([(), ("x",), ("n=2",), ("n=deux",)]),
)


@settings(max_examples=200, deadline=None)
@given(conditions, utterances)
def test_an_expression_and_its_opposite_divide_a_corpus(condition: str, utterance) -> None:
    assert parse_expression(condition).holds(utterance) != parse_expression(f"not ({condition})").holds(utterance)


def test_a_part_that_does_not_hold_says_what_it_found() -> None:
    expression = parse_expression('duration_s > 1 and (tag.age == "thirties" or speaker == "jean") and channel == 0')
    assert [part.text for part in expression.parts] == [
        "duration_s > 1", 'tag.age == "thirties" or speaker == "jean"', "channel == 0",
    ]  # fmt: skip
    failing = expression.failing(ONE)
    assert failing is not None
    assert failing.sentence(ONE) == (
        'tag.age == "thirties" or speaker == "jean" does not hold: speaker is \'marie\', '
        "its tags are gender=female, age=twenties, noisy, years=31"
    )
    assert parse_expression("duration_s > 7").parts[0].sentence(ONE) == "duration_s > 7 does not hold: duration_s is 2"


LISTED = ", ".join(FIELDS)
MADE_OF = "an expression is made of comparisons (== != < <= > >=, in, matches, is None) joined by and, or, not"
EXAMPLE = 'such as: duration_s > 1 and language == "fr" and not text matches "xxx"'


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ('speeker == "a"', "column 1 of the expression: there is no field speeker", "did you mean speaker"),
        (
            "language == fr",
            "column 13 of the expression: there is no field fr",
            f'a text stands in quotes: "fr"; the fields are {LISTED}, tag.NAME',
        ),
        (
            '"é" == text and text > 3',
            "column 17 of the expression: text is a text and 3 a number: they cannot be compared",
            "n_words, n_chars and chars_per_s are numbers",
        ),
        (
            'duration_s > "1"',
            'column 1 of the expression: duration_s is a number and "1" a text: they cannot be compared',
            "a number stands without quotes",
        ),
        (
            "speaker in ('a', 3)",
            "column 18 of the expression: speaker is a text and 3 a number: they cannot be compared",
            "a text stands in quotes",
        ),
        ('split == "tests"', 'column 10 of the expression: no split is called "tests"', "did you mean test"),
        ('task in ("x",)', 'column 10 of the expression: no task is called "x"', "there are transcribe, translate"),
        ('language = "fr"', "column 10 of the expression: a single = compares nothing", "write =="),
        (
            'text not matches "x"',
            "column 10 of the expression: not stands in the wrong place",
            'write: not text matches "xxx"',
        ),
        (
            'duration_s > 1 && "a" in tags',
            "column 17 of the expression: it cannot be read",
            "conditions are joined by and, or, not",
        ),
        ("duration_s >", "column 12 of the expression: it cannot be read from here", EXAMPLE),
        ('text @ "x"', "column 6 of the expression: @ has no meaning here", EXAMPLE),
        (
            "duration_s",
            "column 1 of the expression: duration_s is a number, not a condition",
            "compare it, such as duration_s > 1",
        ),
        (
            "speaker",
            "column 1 of the expression: speaker is a text, not a condition",
            "compare it, such as speaker == ...",
        ),
        ("not tags", "column 5 of the expression: tags is a list of texts, not a condition", '"..." in tags'),
        (
            'tags == "a"',
            "column 1 of the expression: tags is a list of texts and is not compared",
            'write: "gender=female" in tags',
        ),
        (
            '"a" == "b"',
            'column 1 of the expression: "a" and "b": neither is a field',
            f"the fields are {LISTED}, tag.NAME",
        ),
        ('"a" in ("a",)', 'column 1 of the expression: "a" is not a field', f"the fields are {LISTED}, tag.NAME"),
        ('speaker is "a"', "column 1 of the expression: is compares with None alone", "write == or !="),
        (
            "text is None",
            "column 1 of the expression: text is never None",
            "None may be channel, speaker, session, prompt, tag.NAME",
        ),
        (
            "channel < None",
            "column 11 of the expression: None is neither more nor less than anything",
            "write: is None",
        ),
        (
            'speaker in "ab"',
            'column 12 of the expression: "ab" is a text, not a list',
            'write: speaker in ("ab", "...")',
        ),
        ('"a" in duration_s', "column 8 of the expression: duration_s is a number, and holds nothing", MADE_OF),
        (
            "3 in tags",
            "column 1 of the expression: 3 is a number, and tags holds texts",
            'a text stands in quotes: "3"',
        ),
        ("speaker in ()", "column 12 of the expression: the list is empty", 'write: speaker in ("a", "b")'),
        (
            'speaker in ("a", None)',
            "column 18 of the expression: None cannot stand in a list",
            "a list holds values; write: or speaker == None",
        ),
        (
            'duration_s matches "x"',
            "column 1 of the expression: duration_s is a number: matches looks into a text",
            'write: text matches "xxx"',
        ),
        (
            '"a" matches "x"',
            'column 1 of the expression: "a" is not a field: matches looks into a text',
            'write: text matches "xxx"',
        ),
        (
            "text matches speaker",
            "column 14 of the expression: speaker is not a quoted text",
            'after matches comes a regular expression: "xxx|yyy"',
        ),
        (
            'text matches "a(b"',
            "column 16 of the expression: the regular expression does not end well: missing ), unterminated subpattern",
            "a character with a meaning is written with \\ before it",
        ),
        ("duration_s + 1 > 2", "column 1 of the expression: duration_s + 1 has no place in an expression", MADE_OF),
        ("duration_s > True", "column 14 of the expression: True has no place in an expression", MADE_OF),
        ("", "the expression is empty", EXAMPLE),
        (
            "speaker == '" + "a" * 10_000 + "'",
            "the expression has 10013 characters, more than 10000",
            "mark the utterances with a tag, and ask for the tag",
        ),
        ("not " * 2000 + "duration_s > 1", "the expression is nested too deeply", EXAMPLE),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(expression: str, message: str, hint: str) -> None:
    with pytest.raises(ParlureError) as error:
        parse_expression(expression)
    assert (error.value.message, error.value.hint) == (message, hint)


@pytest.mark.parametrize(
    "attack",
    [
        '__import__("os").system("touch /tmp/x") == 0',
        "text.__class__ == 1",
        "tag.__class__.__mro__ == 1",
        'tag["age"].upper() == "A"',
        "[one for one in tags] == tags",
        "(lambda: 1)() == 1",
        'f"{text}" == "a"',
        "(split := 'train') == 'train'",
        "duration_s if text else start > 1",
        "tags[0] == 'a'",
        "text * 100000000 == 'a'",
        "2 ** 10 ** 10 > duration_s",
        "print",
        "await text",
        "b'a' == text",
        "1j == start",
        "... == text",
        "*tags in tags",
        "duration_s > 1; import os",
        "duration_s > 1\0",
    ],
)
def test_nothing_but_an_expression_can_be_run(attack: str) -> None:
    with pytest.raises(ParlureError, match=r"column \d+ of the expression"):
        parse_expression(attack)


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            [
                "duration_s",
                "tags",
                "text",
                "matches",
                "in",
                "not",
                "is",
                "None",
                '"a"',
                "(",
                ")",
                "1",
                "==",
                "<",
                ",",
                "and",
                "tag.x",
            ]
        ),
        max_size=9,
    ).map(" ".join)
)
def test_any_text_is_an_expression_or_an_error_of_ours(text: str) -> None:
    try:
        parse_expression(text).holds(ONE)
    except ParlureError as error:
        assert error.message


def test_a_tag_that_no_utterance_has_is_a_slip() -> None:
    for utterances, hint in (([ONE], "did you mean tag.age"), ([said("b")], "no tag is of the form name=value")):
        with pytest.raises(ParlureError) as error:
            parse_expression('tag.aage == "x"').check_tags(utterances)
        assert (error.value.message, error.value.hint) == ("no utterance has a tag aage=…", hint)
    with pytest.raises(ParlureError) as error:
        parse_expression('tag.region == "x"').check_tags([ONE])
    assert error.value.hint == "the tags are age, gender, years"
    parse_expression('tag.age == "x"').check_tags([said("b"), ONE])


def test_it_is_fast_enough_for_a_million() -> None:
    expression = parse_expression(
        'duration_s > 1 and language == "fr" and "gender=female" in tags and not text matches "xxx"'
    )
    clock = time.process_time()
    for _ in range(20_000):
        expression.holds(ONE)
    assert (time.process_time() - clock) * 50 < 20  # s of a core for a million; 1 s measured
