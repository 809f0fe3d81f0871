"""How many of the wrong transcripts in a corpus ``parlure correct`` puts on top: some are planted, and looked for.

    python benchmarks/corrections.py --work build/corrections --seed 6     # some minutes: calls, a run, the ranking

A run is tuned on the corpus with its errors, as it would be: what is found is found by a model that has learnt from
them. A third of the planted transcripts is another utterance's, a third its own first half, a third has one word
replaced. nano and espeak-ng's voices: this says whether the ranking works, not what it finds in your recordings.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from pathlib import Path

from parlure.corpus.manifest import MANIFEST
from parlure.corpus.prepare import prepare
from parlure.demo import recipe_for
from parlure.speech.calls import SUGGESTED_RATIOS, make_calls
from parlure.training.loop import train
from parlure.transcribing.correct import correct

KINDS = ("swapped", "truncated", "altered")
MIN_WORDS = 4  # of a text that is made wrong


def plant(manifest: Path, share: float, seed: int) -> dict[str, str]:
    """Make a share of a manifest's transcripts wrong; id → kind of error."""
    rng, planted = random.Random(seed), {}
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    texts = [row["text"] for row in rows]
    long = [place for place, text in enumerate(texts) if len(text.split()) >= MIN_WORDS]
    vocabulary = sorted({word for text in texts for word in text.split()})
    for number, place in enumerate(rng.sample(long, round(share * len(rows)))):
        kind, words = KINDS[number % 3], texts[place].split()
        if kind == "swapped":
            words = rng.choice([texts[other] for other in long if texts[other] != texts[place]]).split()
        elif kind == "truncated":
            words = words[: len(words) // 2]
        else:
            spot = rng.randrange(len(words))
            words[spot] = rng.choice([word for word in vocabulary if word != words[spot]])
        rows[place]["text"] = " ".join(words)
        planted[rows[place]["id"]] = kind
    manifest.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return planted


def main() -> None:
    """Make, plant, tune, rank, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder to make")
    parser.add_argument("--seed", type=int, default=1, help="of calls, errors and training")
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--share", type=float, default=0.06, help="of the transcripts that are made wrong")
    options = parser.parse_args()
    corpus, run = options.work / "corpus", options.work / "run"
    calls = make_calls(options.work / "recordings", n_calls=options.calls, seed=options.seed)
    prepare([calls], corpus, ratios=SUGGESTED_RATIOS, seed=1)
    planted = plant(corpus / MANIFEST, options.share, options.seed)
    train(recipe_for(corpus, options.seed), run)
    ranking = [one.utterance.id for one in correct(run, corpus).suspects]
    print(f"{len(planted)} of {len(ranking)} are wrong")
    for n in (10, len(planted), 2 * len(planted), 3 * len(planted)):
        found = Counter(planted[name] for name in ranking[:n] if name in planted)
        at_random = n * len(planted) / len(ranking)
        print(f"first {n}: {found.total()} found, {at_random:.1f} at random: {dict(found)}")


if __name__ == "__main__":
    main()
