"""What a search draws, how lucky its best one was, and what is said of it."""

import json

import numpy as np
import pytest
from test_loop import recipe

from parlure.errors import ParlureError
from parlure.search.found import Found
from parlure.search.luck import Flattery, flattery, flattery_of
from parlure.search.space import Choice, Span, applied, default_space, drawn_of, read_space
from parlure.search.trial import Outcome

RATE = "training.learning_rate"


def test_ranges_and_choices(corpus_folder, tmp_path):
    (tmp_path / "space.toml").write_text(
        '[training]\nlearning_rate = "1e-5..1e-3, log"\n'
        '[adapter]\nr = [4, 8]\ndropout = "0..0.2"\nmethod = "lora|dora"\n'
    )
    space = read_space(
        tmp_path / "space.toml", ["training.warmup_steps=1..100,log", "adapter.r=2|16"], recipe(corpus_folder)
    )
    assert space == {
        RATE: Span(1e-5, 1e-3, log=True),
        "adapter.r": Choice((2, 16)),
        "adapter.dropout": Span(0.0, 0.2),
        "adapter.method": Choice(("lora", "dora")),
        "training.warmup_steps": Span(1, 100, log=True, whole=True),
    }
    assert [one.text() for one in space.values()] == ["1e-05..0.001,log", "2|16", "0..0.2", "lora|dora", "1..100,log"]


def test_the_usual_space_is_ten_times_lower_for_full_fine_tuning(corpus_folder):
    lora, full = recipe(corpus_folder), recipe(corpus_folder, adapter={"method": "full"})
    assert default_space(lora)[RATE] == Span(2e-5, 1e-3, log=True)
    assert default_space(full) == {RATE: Span(2e-6, 1e-4, log=True)}
    assert read_space(None, [], lora) == default_space(lora)


def test_alpha_follows_r(corpus_folder):
    made = applied(recipe(corpus_folder), {"adapter.r": 16, "adapter.alpha_over_r": 4.0, RATE: 1e-3})
    assert (made.adapter.r, made.adapter.alpha, made.training.learning_rate) == (16, 64.0, 1e-3)
    assert drawn_of(made, default_space(made)) == {RATE: 1e-3, "adapter.r": 16, "adapter.alpha_over_r": 4.0,
                                                   "adapter.dropout": 0.1}  # fmt: skip
    assert drawn_of(recipe(corpus_folder), default_space(made)) is None  # its rank of 4 is none of the usual ones


@pytest.mark.parametrize(
    ("option", "message", "hint"),
    [
        ("adapter.r", "--search adapter.r is not section.field=RANGE", "LOW..HIGH, LOW..HIGH,log or A|B|C, as in"),
        ("adapter.r=8", "adapter.r = '8' is no range", "LOW..HIGH, LOW..HIGH,log or A|B|C, as in"),
        ("adapter.r=8..4", "adapter.r = '8..4' is no range", "LOW..HIGH"),
        ("adapter.dropout=0..0.1,log", "adapter.dropout = '0..0.1,log' is no range", "LOW..HIGH"),
        (f"{RATE}=1e-5..1e-3,lin", f"{RATE} = '1e-5..1e-3,lin' is no range", "LOW..HIGH"),
        ("evaluation.profile=fr|raw", "evaluation.profile is not searched: it decides how trials are judged",
         "search fields of model, adapter, training, targets"),
        ("training.seed=1|2", "training.seed is not searched: the best of several seeds is luck", "search fields of"),
        ("data.language=fr|en", "data.language is not searched: trials on other data cannot", "search fields of"),
        ("tracking.project=a|b", "tracking.project is not searched: it changes nothing that", "search fields of"),
        ("training.rate=1..2", "the space: unknown key training.rate", "did you mean training."),
        ("adapter.dropout=0..1.5", "the space: adapter.dropout = 1.5: input should be less than", "adapter.dropout: "),
    ],
)  # fmt: skip
def test_what_a_space_refuses(corpus_folder, option, message, hint):
    with pytest.raises(ParlureError) as caught:
        read_space(None, [option], recipe(corpus_folder))
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)


def test_what_is_wrong_with_a_file(corpus_folder, tmp_path):
    cases = {
        None: ("there is no space ", "without --space, a usual one is searched"),
        "r = 8|16": (" is not valid TOML: ", 'ranges need quotes, as in r = "8|16|32"'),
        'r = "8|16"': (": r is not in a section", "write it as a recipe is: [training]"),
        "[adapter]\nr = [[8]]": ("adapter.r = [[8]] is no range", "LOW..HIGH"),
        "[adapter]\nr = 8": ("adapter.r = 8 is no range", "LOW..HIGH"),
    }
    for text, (message, hint) in cases.items():
        path = tmp_path / "space.toml"
        if text is not None:
            path.write_text(text)
        with pytest.raises(ParlureError) as caught:
            read_space(path, [], recipe(corpus_folder))
        assert message in caught.value.message and caught.value.hint.startswith(hint)
    with pytest.raises(ParlureError, match=r"adapter.alpha and adapter.alpha_over_r are the same twice") as caught:
        read_space(None, ["adapter.alpha=1..2", "adapter.alpha_over_r=1|2"], recipe(corpus_folder))
    assert caught.value.hint == "search one of them"


# ------------------------------------------------------------------------------------------ luck


def test_trials_that_err_alike_are_not_flattered_more_than_one():
    errors, words = np.array([[3, 1, 4, 1, 5]] * 6), np.array([10, 10, 10, 10, 10])
    worse = np.array([[0], [5], [5], [5], [5], [5]])
    for planted in (errors, errors + worse):  # one may be better in every block
        assert flattery(planted, words).high == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("spread", [0.0, 2.0], ids=["equally good", "unlike"])
def test_what_choosing_costs_lies_in_what_is_said(spread):
    """Searches of twelve trials of about 30 %: what the lowest dev WER hides, on average, and what is said of it."""
    rng = np.random.default_rng(0)
    words, true = np.full(60, 20), 30 + spread * rng.standard_normal((300, 12))
    errors = rng.binomial(20, true[:, :, None] / 100, (300, 12, 60))
    dev = 100 * errors.sum(axis=2) / words.sum()
    best = dev.argmin(axis=1)
    truly = np.mean((true - dev)[np.arange(300), best])
    said = [flattery(one, words, seed) for seed, one in enumerate(errors[:40])]
    low, high = np.mean([one.low for one in said]), np.mean([one.high for one in said])
    assert low - 0.1 < truly < high + 0.1
    assert high == pytest.approx(2.1, abs=0.2)
    assert 0.4 * high < low < 0.85 * high


def test_a_block_is_a_speaker_or_a_session(tmp_path):
    rows = [{"id": n, "speaker": f"s{n // 2}", "session": None, "errors": n, "words": 9} for n in range(6)]
    for name, own in (("a", rows), ("b", rows), ("c", rows[1:])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in own))
    found = flattery_of([tmp_path / "a", tmp_path / "b"], "dev.jsonl")
    assert (round(found.low), found.n_blocks) == (0, 3)
    assert flattery_of([tmp_path / "a", tmp_path / "c"], "dev.jsonl") is None  # not of the same utterances
    assert flattery_of([tmp_path], "dev.jsonl") is None


def outcome(number, wer, state="complete", harm=0.0, **facts):
    return Outcome(number, {RATE: 1e-4 * (number + 1)}, state, wer, 2, facts.pop("base", 50.0), harm, 4, 60.0, **facts)


@pytest.mark.parametrize(
    ("trials", "flattered", "said"),
    [
        ([outcome(0, 40.0), outcome(1, 38.0), outcome(2, 45.0, "pruned"), outcome(3, 20.0, harm=1.0)],
         Flattery(1.0, 1.5, 9),
         ["4 trials, of which 1 pruned, 1 harmed a guard: trial 1 has the lowest dev WER, 38.0 % (base 50.0 %, your "
          "recipe 40.0 %)",
          "the lowest of 2 on 80 dev utterances is too low by some 1.0 to 1.5 points, because it was chosen on them "
          "(bootstrap over 9 blocks of speakers and sessions); its advantage over your recipe is 2.0",
          "the test split was not used to choose: judge the best one there, once"]),
        ([outcome(0, 40.0), outcome(1, 39.0)], Flattery(1.0, 1.5, 9),
         [None, "… is 1.0: it may be nothing but luck", None]),
        ([outcome(0, 40.0), outcome(1, 39.0)], Flattery(0.0, 0.0, 1),
         [None, "how much of that is luck cannot be estimated: dev needs several speakers or sessions", None]),
        ([outcome(0, 51.0)], Flattery(0.0, 0.0, 1),
         ["1 trial: none is better than the base's dev WER of 50.0 %",
          "search lower learning rates or more epochs; if …"]),
        ([outcome(0, 20.0, harm=2.0)], None,
         ["1 trial, of which 1 harmed a guard: none went to its end without harm to a guard, so there is no …"]),
    ],
)  # fmt: skip
def test_what_is_said(trials, flattered, said):
    sentences = Found(tuple(trials), {RATE: Span(1e-5, 1e-3)}, True, flattered, 80).sentences()
    assert len(sentences) == len(said)
    for sentence, expected in zip(sentences, said, strict=True):
        if expected:
            begin, _, end = expected.partition("…")
            assert sentence.startswith(begin.strip()) and sentence.endswith(
                end.strip() if "…" in expected else sentence
            )


# ------------------------------------------------------------------------------------------ the study
