"""A million pairs of reference and hypothesis: how long parlure, jiwer and NIST's sclite take to count their errors.

    python benchmarks/scoring.py                      # 1,000,000 pairs
    python benchmarks/scoring.py --pairs 200000
    python benchmarks/scoring.py --report             # and parlure's whole way from two files to a report

Pairs are drawn from a fixed seed: utterances of 10 words on average (log-normal, at most 60) of a vocabulary of 20,000
words with Zipf's frequencies; of each word 10 % come out as another, 5 % are missing, and after 3 % another is put in.
So about 18 % of the words are wrong and one utterance in four or five is right. All three count the same raw texts, one
process each, and must find the same number of errors (sclite may find a few more: it weighs a substitution less than a
deletion and an insertion). CPU seconds are compared, as other work on the machine does not change them much.

jiwer and sclite get 10,000 pairs at a time, because both keep every alignment in memory (sclite 27 kB a pair). Writing
sclite's files counts as nobody's time. sclite is taken from the PATH, from
PARLURE_SCLITE, or where Debian's package ``sctk`` puts it, and is left out where there is none.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any

import jiwer

import parlure
from parlure.scoring.rates import Counts, count_characters, count_words
from parlure.scoring.score import score_report

SHARES = {"substituted": 0.10, "deleted": 0.05, "inserted": 0.03}
VOCABULARY = 20_000
LETTERS = "eaisnrtoludmcpévqfbghjàxèyêzwçôùâkîœïë"  # by their frequency in French, roughly
BATCH = 10_000
DEBIAN = Path("/usr/lib/sctk/bin/sclite")

Pairs = list[tuple[str, str]]


def draw(n: int, seed: int = 1) -> Pairs:
    """Pairs of texts; the same for the same seed."""
    rng = random.Random(seed)
    weights = [1 / (place + 1) for place in range(len(LETTERS))]
    words = ["".join(rng.choices(LETTERS, weights, k=rng.randint(1, 9))) for _ in range(VOCABULARY)]
    zipf = list(accumulate(1 / (rank + 1) for rank in range(VOCABULARY)))
    pairs = []
    for _ in range(n):
        length = min(60, max(1, round(rng.lognormvariate(2.1, 0.65))))
        reference = rng.choices(words, cum_weights=zipf, k=length)
        hypothesis = []
        for word in reference:
            fate = rng.random()
            if fate < SHARES["substituted"]:
                hypothesis.append(rng.choice(words))
            elif fate >= SHARES["substituted"] + SHARES["deleted"]:
                hypothesis.append(word)
            if rng.random() < SHARES["inserted"]:
                hypothesis.append(rng.choice(words))
        pairs.append((" ".join(reference), " ".join(hypothesis)))
    return pairs


@contextmanager
def timed(name: str, figures: dict[str, float]) -> Iterator[None]:
    """Keep the CPU seconds of what is done here, child processes included, and print them beside the clock's."""

    def used() -> float:
        return sum(
            resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )

    before, clock = used(), time.perf_counter()
    yield
    figures[name] = used() - before
    print(f"{name:28} {figures[name]:8.1f} s of CPU, {time.perf_counter() - clock:8.1f} s by the clock", flush=True)


def parlures(pairs: Pairs, count: Callable[[str, str], Counts]) -> int:
    """The errors that parlure counts."""
    return Counts.total(count(*pair) for pair in pairs).edits


def jiwers(pairs: Pairs, process: Callable[[list[str], list[str]], Any]) -> int:
    """The errors that jiwer counts, of words or of characters."""
    errors = 0
    for start in range(0, len(pairs), BATCH):
        references, hypotheses = map(list, zip(*pairs[start : start + BATCH], strict=True))
        found = process(references, hypotheses)
        errors += found.substitutions + found.deletions + found.insertions
    return errors


def sclites(program: str, ref: Path, hyp: Path) -> int:
    """The word errors that sclite counts, its alignments neither kept nor printed."""
    command = [program, "-s", "-r", str(ref), "trn", "-h", str(hyp), "trn", "-i", "spu_id", "-o", "rsum", "stdout"]
    table = subprocess.run([*command, "-f", "0"], capture_output=True, check=True).stdout.decode("utf-8", "replace")
    found = re.search(r"\| +Sum +\|[^|]*\|([^|]*)\|", table)
    assert found, table
    return int(found[1].split()[4])


def write_trn(folder: Path, pairs: Pairs) -> tuple[Path, Path]:
    """Both sides as ``trn``, 200 speakers."""
    folder.mkdir()
    paths = folder / "ref.trn", folder / "hyp.trn"
    for side, path in enumerate(paths):
        lines = (f"{pair[side]} (s{number % 200}-{number:07})\n" for number, pair in enumerate(pairs))
        path.write_text("".join(lines), encoding="utf-8")
    return paths


def main() -> None:
    """Draw, count, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--characters", action="store_true", help="characters too, with jiwer")
    parser.add_argument("--report", action="store_true", help="parlure's whole way: two files → report, raw and basic")
    arguments = parser.parse_args()
    sclite = os.environ.get("PARLURE_SCLITE") or shutil.which("sclite") or (str(DEBIAN) if DEBIAN.exists() else None)

    pairs = draw(arguments.pairs)
    n_words = sum(len(reference.split()) for reference, _ in pairs)
    right = sum(reference == hypothesis for reference, hypothesis in pairs)
    print(
        f"{len(pairs):,} pairs, {n_words / len(pairs):.1f} words each, {100 * right / len(pairs):.0f} % without error"
    )
    load = f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    print(f"Python {platform.python_version()}, {platform.machine()}, {load}")
    packages = ", ".join(f"{name} {version(name)}" for name in ("parlure", "jiwer", "rapidfuzz"))
    print(f"{packages}, sclite {sclite or 'not there'}", flush=True)

    figures: dict[str, float] = {}
    errors: dict[str, int] = {}
    with timed("parlure, words", figures):
        errors["parlure"] = parlures(pairs, count_words)
    with timed("parlure, characters", figures):
        characters = parlures(pairs, count_characters)
    with timed("parlure.process, raw, both", figures):
        assert parlure.process(*map(list, zip(*pairs, strict=True))).total.words.edits == errors["parlure"]
    with timed("jiwer, words", figures):
        errors["jiwer"] = jiwers(pairs, jiwer.process_words)
    if arguments.characters:
        with timed("jiwer, characters", figures):
            assert jiwers(pairs, jiwer.process_characters) == characters
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if sclite:
            starts = range(0, len(pairs), BATCH)
            files = [write_trn(folder / str(start), pairs[start : start + BATCH]) for start in starts]
            with timed("sclite, words", figures):
                errors["sclite"] = sum(sclites(sclite, *paths) for paths in files)
        if arguments.report:
            ref, hyp = write_trn(folder / "whole", pairs)
            with timed("parlure, files → report", figures):
                score_report(ref, hyp, profiles=["raw", "basic"])

    print("errors:", ", ".join(f"{name} {number:,}" for name, number in errors.items()))
    assert errors["parlure"] == errors["jiwer"] <= errors.get("sclite", errors["jiwer"])
    for name in [name for name in figures if not name.startswith("parlure")]:
        mine = "parlure, " + name.split(", ")[1]
        print(f"{name}: {figures[name] / figures[mine]:.1f} times parlure's CPU time")


if __name__ == "__main__":
    main()
