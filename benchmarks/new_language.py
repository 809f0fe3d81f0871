"""A language that Whisper lacks: nano learns Esperanto beside its French, by a token taken over and by a new one.

    python benchmarks/new_language.py --work build/eo               # tens of minutes; what is done is not done again
    python benchmarks/new_language.py --work build/eo --quick       # few sentences and steps: that it runs

Test sentences of both languages are held out by their text, and said by other voices. Esperanto without tuning is asked
for as French, which is where its token begins. Intervals are of parlure's bootstrap and comparison over speakers. nano
is a miniature, its Esperanto is a small grammar's: this says that the machinery works, not what Whisper would reach.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from esperanto import GRAMMAR as ESPERANTO
from nano.french import GRAMMAR as FRENCH
from nano.grammar import Grammar, draw_sentence
from spoken import Line, speak

from parlure.corpus.manifest import Corpus, Utterance
from parlure.recipe import parse_recipe
from parlure.scoring.normalize import get_profile, headline_profile
from parlure.scoring.rates import Counts, count_words
from parlure.scoring.significance import compare
from parlure.training.loop import train
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import DecodingOptions, decode
from parlure.whisper.languages import lend
from parlure.whisper.load import load

TAUGHT = {"eo": {"token": "la", "like": "fr"}}
VARIANTS = {"taken over from la": "la", "inserted": ""}


def lines(grammar: Grammar, sizes: dict[str, int], seed: int) -> list[Line]:
    """So many sentences for each split; those of test are of the held-out side."""
    rng = random.Random(seed)
    return [
        Line(draw_sentence(grammar, rng, split == "test"), split, grammar.language)
        for split, n in sizes.items()
        for _ in range(n)
    ]


def tune(work: Path, esperanto: Path, french: Path, token: str, quick: bool) -> str:
    """A run folder: LoRA on all linear layers and the one token, half of every epoch in French."""
    tree = {
        "model": {"base": "nano"},
        "data": {"corpus": str(esperanto)},
        "language": {"code": "eo", "token": token, "like": "fr"},
        "adapter": {"r": 64, "alpha": 64.0, "dropout": 0.0},
        "training": {
            "epochs": 4.0, "max_steps": 4 if quick else 0, "learning_rate": 1e-3, "warmup_steps": 50,
            "batch_seconds": 30.0, "accumulation": 2, "full_window_share": 0.4, "utterances_per_window": 2,
        },
        "replay": {"corpus": str(french), "share": 0.5},
        "evaluation": {"every_steps": 600, "patience": 0, "max_utterances": 40},
        "guard": {"corpora": [f"french={french}"], "max_loss": 100.0, "patience": 0, "max_utterances": 40},
    }  # fmt: skip
    out = work / f"run-{token or 'inserted'}"
    train(parse_recipe(tree, "the benchmark's recipe"), out, resume=out.exists(), on_event=_say)
    return str(out)


def _say(event: Any) -> None:
    if event["kind"] == "evaluation":
        print(f"step {event['step']}: dev WER {event['wer']:.1f} %, {event['guards']}", file=sys.stderr, flush=True)
    elif event["kind"] == "notice":
        print(event["text"], file=sys.stderr, flush=True)


def errors(model: str, utterances: Sequence[Utterance]) -> list[Counts]:
    """Of each, in 30 s windows."""
    loaded, language = load(model), utterances[0].language
    lend(loaded.tokenizer, TAUGHT)
    options = DecodingOptions(language=language, batch_size=32)
    found = decode(loaded.model, loaded.tokenizer, clips_of(utterances), options)
    normalize = get_profile(headline_profile(language)).normalize
    return [count_words(normalize(u.text), normalize(h.text)) for u, h in zip(utterances, found, strict=True)]


def table(test: dict[str, Sequence[Utterance]], models: dict[str, str]) -> Iterator[str]:
    """A row for each model: WER in both languages, with the difference to untuned nano."""
    yield "| model | Esperanto WER | − nano | French WER | − nano |"
    yield "| --- | --- | --- | --- | --- |"
    base = {language: errors("nano", own) for language, own in test.items()}
    for name, model in models.items():
        cells = [name]
        for language, own in test.items():
            found = base[language] if model == "nano" else errors(model, own)
            speakers = [u.speaker for u in own]
            compared = compare(base[language], found, speakers, [None] * len(own))
            total = Counts.total(found)
            assert compared.difference is not None
            interval = "" if compared.ci95 is None else f" [{compared.ci95[0]:+.1f}, {compared.ci95[1]:+.1f}]"
            cells.append(f"{total.rate:.1f} % (S {total.S} D {total.D} I {total.I} of {total.N})")
            cells.append("" if model == "nano" else f"{compared.difference:+.1f}{interval}")
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of recordings, runs and the table")
    parser.add_argument("--only", choices=VARIANTS, help="one of the two ways")
    parser.add_argument("--quick", action="store_true", help="seconds: few sentences, four steps")
    options = parser.parse_args()
    sizes = {"train": 30, "dev": 6, "test": 10} if options.quick else {"train": 1800, "dev": 60, "test": 200}
    esperanto = speak(options.work / "eo", lines(ESPERANTO, sizes, 5), 5)
    sizes = sizes if options.quick else {"train": 1200, "dev": 60, "test": 400}
    french = speak(options.work / "fr", lines(FRENCH, sizes, 6), 6)
    models = {"nano": "nano"}
    for name, token in VARIANTS.items():
        if options.only in (None, name):
            models[name] = tune(options.work, esperanto, french, token, options.quick)
    test = {"eo": Corpus.load(esperanto).select("test"), "fr": Corpus.load(french).select("test")}
    text = "\n".join(table(test, models))
    (options.work / "table.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
