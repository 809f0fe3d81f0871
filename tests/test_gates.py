"""--fail-if: what it accepts, what it refuses, when it fails."""

import pytest

from parlure.errors import ParlureError
from parlure.scoring.gates import failures, parse_gate

SKILLS = ["transcription.fr", "silence", "silence.free", "translation", "guard.general", "guard.base", "long_form"]


def skill(base, tuned, verdict, n=20):
    return {"base": {"value": base, "n": n}, "tuned": {"value": tuned, "n": n}, "verdict": verdict}


REPORT = {
    "systems": {"tuned": {}, "base": {}},
    "broken": ["guard.general"],
    "skills": {
        "transcription.fr": skill(41.0, 30.0, "better"),
        "silence": skill(0.0, 5.0, "no evidence"),
        "silence.free": skill(0.0, 0.0, "no evidence"),
        "translation": skill(60.0, 55.0, "no evidence"),
        "guard.general": skill(10.0, 12.5, "worse", 7),
        "guard.base": skill(20.0, 1.0, "too few speakers"),
        "long_form": skill(None, None, "too few speakers"),
    },
}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("transcription.fr>40", None),
        ("transcription.fr.tuned < 40", "transcription.fr.tuned is 30"),
        ("transcription.fr.base>40", "transcription.fr.base is 41"),
        ("transcription.fr.delta>-20", "transcription.fr.delta is -11"),
        ("guard.general.delta>1", "guard.general.delta is 2.5"),
        ("guard.general.delta>3", None),
        ("guard.general.delta > 1 and guard.general.verdict = worse",
         "guard.general.delta is 2.5, guard.general.verdict is worse"),
        ("guard.general.delta > 1 and guard.general.verdict != worse", None),
        ("guard.base.base >= 20", "guard.base.base is 20"),  # a guard may be called so
        ("guard.base<=1", "guard.base.tuned is 1"),
        ("guard.general.n<8", "guard.general.n is 7"),
        ("silence.pinned>0.01", "silence.tuned is 5"),
        ("silence>5", None),
        ("silence.free==0", "silence.free.tuned is 0"),
        ("translation.chrf.delta<-4", "translation.delta is -5"),
        ("transcription.fr.verdict=no evidence", None),
        ("silence.verdict=no evidence", "silence.verdict is no evidence"),
        ("broken>0", "broken is 1"),
        ("broken>1", None),
        ("long_form>40", "long_form.tuned is not measured"),
        ("long_form.delta>1", "long_form.delta is not measured"),
        ("long_form>40 and silence>90", None),
    ],
)  # fmt: skip
def test_when_a_gate_fails(expression, found):
    expected = [] if found is None else [f"{expression}: {found}"]
    assert failures(REPORT, [expression]) == expected


def test_several_gates_each_say_what_they_found():
    assert failures(REPORT, ["broken>0", "transcription.fr>40", "silence>1"]) == [
        "broken>0: broken is 1",
        "silence>1: silence.tuned is 5",
    ]


EXAMPLE = 'such as --fail-if "transcription.fr>40" or --fail-if "guard.general.delta>1"'
FIELDS = "each with .tuned, .base, .delta, .n, .verdict"


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("transcription.fr", "--fail-if transcription.fr is not a comparison", EXAMPLE),
        ("", "--fail-if  is not a comparison", EXAMPLE),
        ("transcription.fr>40 and", "--fail-if transcription.fr>40 and: 40 and is not a number", EXAMPLE),
        ("transcription.fr>forty", "--fail-if transcription.fr>forty: forty is not a number", EXAMPLE),
        ("transcription.fr>nan", "--fail-if transcription.fr>nan: nan is not a number", EXAMPLE),
        ("transcription.de>1", "--fail-if transcription.de>1: this report has no transcription.de",
         f"did you mean transcription.fr? it has {', '.join(SKILLS)}, broken, {FIELDS}"),
        ("wer>1", "--fail-if wer>1: this report has no wer", f"it has {', '.join(SKILLS)}, broken, {FIELDS}"),
        ("transcription.fr.median>1", "this report has no transcription.fr.median", "did you mean transcription.fr? "),
        ("silence.verdict>worse", "a verdict is compared with = or != to a word",
         "the verdicts are better, worse, no evidence, too few speakers"),
        ("silence.verdict=bad", "a verdict is compared with = or != to a word", "the verdicts are better"),
    ],
)  # fmt: skip
def test_what_is_refused(expression, message, hint):
    with pytest.raises(ParlureError) as caught:
        parse_gate(expression, SKILLS, has_base=True)
    assert message in caught.value.message
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("expression", "what"),
    [("silence.delta>1", "silence.delta"), ("silence>1 and silence.base>1", "silence.base"), ("broken>0", "broken")],
)
def test_what_needs_a_base(expression, what):
    with pytest.raises(ParlureError, match="needs a base to compare with") as caught:
        parse_gate(expression, SKILLS, has_base=False)
    assert caught.value.message == f"--fail-if {expression}: {what} needs a base to compare with"
    assert caught.value.hint == "add --against base, or another MODEL"
    parse_gate("silence>1", SKILLS, has_base=False)
