"""A trade's words: nano tuned on sentences with invented terms, behind lists of them and not, decoded with and without.

    python benchmarks/vocabulary.py --work build/vocabulary             # some minutes; what is done is not done again
    python benchmarks/vocabulary.py --work build/vocabulary --quick     # few sentences and steps: that it runs

50 terms are in the training texts, 50 others in none. Sentences are of nano's own grammar with a term at a noun's or a
name's place; test has other sentences and other voices. The general set has no terms. Intervals are those of parlure's
comparison over speakers. nano is a miniature: this says what the machinery does, not what Whisper gains.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from nano.french import GRAMMAR
from nano.grammar import draw_sentence
from spoken import Line, speak

from parlure.corpus.manifest import Corpus, Utterance
from parlure.recipe import parse_recipe
from parlure.scoring.normalize import get_profile
from parlure.scoring.rates import Counts, count_words
from parlure.scoring.significance import compare
from parlure.scoring.terms import Term, term_accuracy
from parlure.scoring.utterances import score_utterances
from parlure.speech.synth import phonemes
from parlure.training.loop import train
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import DecodingOptions, decode
from parlure.whisper.load import NANO, load, load_tokenizer
from parlure.whisper.terms import term_tokens

N_TERMS = 50
N_MOST = 80  # tokens of a hypothesis, so that one that goes round in circles costs little
_FIRST = (
    "Zel Nor Tri Car Mel Bro Val Dor Lin Fer Per Sol Gal Kor Vi Lu Ma Ti Za Ro Pel Sar Dra Flo Cli Hel Mo Ne Ru Tan"
)
_LAST = "vax dol tine mab zine pril cort xane fine tox nal cine gol dran mide bine zol vir stat sone pan lor rex tal"
_SLOT = "Xyz"  # stands for a term until one is put there
FRAMES = replace(GRAMMAR, rules={**GRAMMAR.rules, "noun": [_SLOT], "surname": [_SLOT]})


def invented_terms(seed: int) -> tuple[list[str], list[str]]:
    """Two lists that sound different each from each, and each fits into one prompt: at most four tokens a term."""
    tokenizer, known = load_tokenizer(str(NANO)), set(GRAMMAR.lexicon())
    words = [first + last for first in _FIRST.split() for last in _LAST.split()]
    random.Random(seed).shuffle(words)
    by_sound: dict[str, str] = {}
    for word, tokens in zip(words, term_tokens(tokenizer, words), strict=True):
        if len(tokens) <= 4 and word.lower() not in known:
            by_sound.setdefault(phonemes(word, "fr"), word)
    chosen = list(by_sound.values())[: 2 * N_TERMS]
    assert len(chosen) == 2 * N_TERMS
    return chosen[:N_TERMS], chosen[N_TERMS:]


def with_terms(split: str, terms: Sequence[str], each: int, rng: random.Random) -> list[Line]:
    """Each term in so many sentences, at a noun's or a name's place; test has frames of its own."""
    lines = []
    for term in terms:
        for _ in range(each):
            while (frame := draw_sentence(FRAMES, rng, split == "test")).count(_SLOT) != 1:
                pass
            lines.append(Line(frame.replace(_SLOT, term), split))
    return lines


def corpora(work: Path, quick: bool) -> dict[str, Path]:
    """``trade`` to train and test on, ``new`` to test on, ``general`` to mix in and test on; and both lists."""
    own, new = invented_terms(1)
    n_train, n_test, n_general = (2, 1, 20) if quick else (30, 4, 1200)
    if quick:
        own, new = own[:4], new[:4]
    rng = random.Random(2)
    made = {name: work / f"{name}.txt" for name in ("own", "new")}
    work.mkdir(parents=True, exist_ok=True)
    for name, terms in (("own", own), ("new", new)):
        made[name].write_text("\n".join(terms) + "\n", encoding="utf-8")
    sizes = {"train": n_general, "dev": n_general // 20, "test": n_general // 4}
    general = [
        Line(draw_sentence(GRAMMAR, rng, split == "test"), split) for split, n in sizes.items() for _ in range(n)
    ]
    trade = [line for split, n in (("train", n_train), ("dev", 1), ("test", n_test))
             for line in with_terms(split, own, n, rng)]  # fmt: skip
    strange = with_terms("test", new, n_test, rng)
    return made | {
        name: speak(work / name, lines, 3)
        for name, lines in (("trade", trade), ("strange", strange), ("general", general))
    }


def tune(work: Path, made: dict[str, Path], name: str, share: float, quick: bool) -> str:
    """A run folder: LoRA, half of what it hears from the general corpus, much of all in the windows it is judged in."""
    tree = {
        "model": {"base": "nano"},
        "data": {"corpus": str(made["trade"])},
        "adapter": {"r": 32, "alpha": 64.0, "dropout": 0.0},
        "training": {
            "epochs": 5.0, "max_steps": 4 if quick else 0, "learning_rate": 1e-3, "warmup_steps": 50,
            "batch_seconds": 30.0, "accumulation": 2, "full_window_share": 0.4, "utterances_per_window": 2,
        },
        "targets": {"terms": str(made["own"]), "term_prompts": share},
        "replay": {"corpus": str(made["general"]), "share": 0.5},
        "evaluation": {"every_steps": 600, "patience": 0},
    }  # fmt: skip
    out = work / f"run-{name}"
    train(parse_recipe(tree, "the benchmark's recipe"), out, resume=out.exists(), on_event=_say)
    return str(out)


def _say(event: Any) -> None:
    if event["kind"] == "evaluation":
        print(f"step {event['step']}: dev WER {event['wer']:.1f} %", file=sys.stderr, flush=True)


def heard(model: str, utterances: Sequence[Utterance], terms: Sequence[str]) -> list[str]:
    """What a model makes of utterances, told of terms, in 30 s windows."""
    loaded = load(model)
    options = DecodingOptions(language="fr", batch_size=32, terms=tuple(terms), max_new_tokens=N_MOST)
    return [one.text for one in decode(loaded.model, loaded.tokenizer, clips_of(utterances), options)]


def errors(utterances: Sequence[Utterance], texts: Sequence[str]) -> list[Counts]:
    """Of each."""
    normalize = get_profile("fr").normalize
    return [count_words(normalize(u.text), normalize(text)) for u, text in zip(utterances, texts, strict=True)]


def recall(utterances: Sequence[Utterance], texts: Sequence[str], terms: Sequence[str]) -> tuple[str, str]:
    """Recall of the terms, as hits of how many, and precision."""
    rows = [
        {"id": u.id, "reference": u.text, "hypotheses": {"it": text}} for u, text in zip(utterances, texts, strict=True)
    ]
    block = term_accuracy(score_utterances(rows, ["fr"]), "fr", ["it"], [Term(term) for term in terms])
    assert block is not None
    hits = block["systems"]["it"]["all"]
    precision = "–" if hits["precision"] is None else f"{hits['precision']:.0f} %"
    return f"{hits['recall']:.1f} % ({hits['n_right']}/{hits['n_reference']})", precision


def table(made: dict[str, Path], models: dict[str, str]) -> Iterator[str]:
    """A row for each model, told of terms and not."""
    listed = {name: made[name].read_text(encoding="utf-8").split() for name in ("own", "new")}
    test = {name: Corpus.load(made[name]).select("test") for name in ("trade", "strange", "general")}
    speakers = [u.speaker for u in test["general"]]
    base: list[Counts] = []
    heads = ("model", "list", "recall, terms trained on", "precision", "WER there", "recall, new terms", "precision",
             "WER, general", "− nano without")  # fmt: skip
    yield f"| {' | '.join(heads)} |"
    yield "| --- " * len(heads) + "|"
    for name, model in models.items():
        for told in (False, True):
            own, new = (listed[one] if told else () for one in ("own", "new"))
            trade, strange = heard(model, test["trade"], own), heard(model, test["strange"], new)
            general = errors(test["general"], heard(model, test["general"], own))
            base = base or general
            found = compare(base, general, speakers, [None] * len(speakers))
            assert found.difference is not None
            interval = "" if found.ci95 is None else f" [{found.ci95[0]:+.1f}, {found.ci95[1]:+.1f}]"
            cells = [
                name, "yes" if told else "no", *recall(test["trade"], trade, listed["own"]),
                f"{Counts.total(errors(test['trade'], trade)).rate:.1f} %",
                *recall(test["strange"], strange, listed["new"]),
                f"{Counts.total(general).rate:.1f} %", f"{found.difference:+.1f}{interval}",
            ]  # fmt: skip
            yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of recordings, runs and the table")
    parser.add_argument("--quick", action="store_true", help="seconds: few sentences, four steps")
    parser.add_argument("--both", action="store_true", help="tune without lists too")
    options = parser.parse_args()
    made = corpora(options.work, options.quick)
    models = {"nano": "nano", "tuned behind lists": tune(options.work, made, "lists", 0.5, options.quick)}
    if options.both:
        models["tuned without lists"] = tune(options.work, made, "none", 0.0, options.quick)
    sizes = {name: len(Corpus.load(made[name]).select("test")) for name in ("trade", "strange", "general")}
    text = f"{json.dumps(sizes)} test utterances\n\n"
    for line in table(made, models):
        print(line, file=sys.stderr, flush=True)
        text += line + "\n"
    (options.work / "table.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
