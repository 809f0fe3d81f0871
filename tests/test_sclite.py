"""The same errors as NIST's sclite, on random texts, on random segments with timed words, and on NIST's own examples.

Needs sclite: Debian's package ``sctk``, or a build of https://github.com/usnistgov/SCTK on the PATH or named by
PARLURE_SCLITE. NIST's examples are read from its sources, whose folder PARLURE_SCTK names; none of them is here.

sclite weighs a substitution 4 and a deletion or insertion 3, so that of texts which have hardly a word in common it may
prefer an alignment with more errors. Such texts are not among these.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from parlure.errors import ParlureError
from parlure.scoring.formats import FORMATS
from parlure.scoring.rates import count_words
from parlure.scoring.score import score, score_report

DEBIAN = Path("/usr/lib/sctk/bin/sclite")
SCLITE = os.environ.get("PARLURE_SCLITE") or shutil.which("sclite") or (str(DEBIAN) if DEBIAN.exists() else None)
SOURCES = os.environ.get("PARLURE_SCTK")

with_sclite = pytest.mark.skipif(SCLITE is None, reason="no sclite: apt install sctk, or PARLURE_SCLITE=its path")
with_sources = pytest.mark.skipif(SOURCES is None, reason="no sources of SCTK: PARLURE_SCTK=their folder")
_TOTAL = re.compile(r"\| +Sum +\|([^|]*)\|([^|]*)\|")
_UTTERANCE = re.compile(
    r"^id: \(\S+-(\d+)\)$.*?^Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)", re.MULTILINE | re.DOTALL
)


def sclite(ref: Path, hyp: Path, report: str, *options: str) -> str:
    kinds = [ref.suffix[1:], hyp.suffix[1:]]
    command = [SCLITE, "-r", ref, kinds[0], "-h", hyp, kinds[1], "-i", "spu_id", "-o", report, "stdout", "-f", "0"]
    done = subprocess.run([*map(str, command), *options], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")  # it breaks long lines of text between bytes


def utterances(ref: Path, hyp: Path) -> list[tuple[int, ...]]:
    """Number, hits, substitutions, deletions and insertions of each, by speaker."""
    found = _UTTERANCE.findall(sclite(ref, hyp, "pra", "-s"))
    return [tuple(map(int, numbers)) for numbers in found]


def write(path: Path, lines) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def texts(n: int, seed: int):
    """Pairs in which one word in ten is another, one is missing and one is too much; some are empty."""
    rng = random.Random(seed)
    vocabulary = ["".join(rng.choices("abdefiklmnoprstuéèçœß", k=rng.randint(1, 6))) for _ in range(300)]
    for _ in range(n):
        reference = rng.choices(vocabulary, k=rng.randint(0, 15))
        hypothesis = []
        for word in reference:
            fate = rng.randrange(10)
            hypothesis += {0: [rng.choice(vocabulary)], 1: [], 2: [word, rng.choice(vocabulary)]}.get(fate, [word])
        yield reference, hypothesis


@with_sclite
def test_two_thousand_pairs_have_sclites_errors(tmp_path):
    pairs = list(texts(2_000, seed=4))
    ref, hyp = (
        write(tmp_path / f"{side}.trn", [f"{' '.join(pair[side])} (s-{n:05})" for n, pair in enumerate(pairs)])
        for side in (0, 1)
    )
    theirs = {number: s + d + i for number, _, s, d, i in utterances(ref, hyp)}
    mine = {n: count_words(*map(" ".join, pair)).edits for n, pair in enumerate(pairs)}
    assert len(theirs) == 2_000 and sum(theirs.values()) > 3_000
    assert {n: (mine[n], theirs[n]) for n in mine if mine[n] != theirs[n]} == {}
    found = score(ref, hyp, profiles=["raw"])["raw"]["tuned"]["wer"]
    assert found["S"] + found["D"] + found["I"] == sum(theirs.values())


@with_sclite
def test_timed_words_go_to_sclites_segments(tmp_path):
    rng = random.Random(2)
    segments, words = [], []
    for recording in ("call1", "call2"):
        for channel in "AB":
            now = 0.0
            for reference, hypothesis in texts(60, seed=rng.randrange(1_000)):
                start, end = now + rng.uniform(0, 1), now + rng.uniform(2, 5)
                segments.append(f"{recording} {channel} s{channel} {start:.2f} {end:.2f} {' '.join(reference)}")
                # some before the segment and some after it, and the last ones of a channel after all segments
                times = sorted(rng.uniform(start - 1, end + 1) for _ in hypothesis)
                words += [(recording, channel, max(at, 0), word) for at, word in zip(times, hypothesis, strict=True)]
                now = end
    words.sort(key=lambda word: word[:3])
    ref = write(tmp_path / "ref.stm", segments)
    hyp = write(tmp_path / "hyp.ctm", [f"{a} {b} {at:.2f}1 {rng.uniform(0.05, 0.5):.2f} {w}" for a, b, at, w in words])
    scored, _ = score_report(ref, hyp, profiles=["raw"])
    mine = [
        (len(one.reference.split()), len(one.hypotheses["tuned"].split()))
        for one in sorted(scored, key=lambda one: one.speaker)  # as sclite's report goes
    ]
    theirs = [(c + s + d, c + s + i) for _, c, s, d, i in utterances(ref, hyp)]
    assert mine == theirs
    assert len(mine) == 240 and sum(n for _, n in mine) == len(words)


@with_sources
def test_the_demo_of_sctk():
    """46 words, 7 substitutions, 1 insertion, as its README says; capitals apart, so under basic."""
    folder = Path(SOURCES) / "src" / "sclite" / "testdata"
    found = score(folder / "demo.ref.txt", folder / "demo.hyp.txt", profiles=["basic"])["basic"]["tuned"]
    assert found["wer"] == {"S": 7, "D": 0, "I": 1, "N": 46, "rate": pytest.approx(100 * 8 / 46)}
    assert found["ser"]["wrong"] == 1


@with_sclite
@with_sources
def test_the_calls_of_sctk(tmp_path):
    """Its conversation in stm and ctm, of a choice of wordings the first, without tags."""
    folder = Path(SOURCES) / "src" / "sclite" / "testdata"
    with pytest.raises(ParlureError, match="41 lines that cannot be read"):
        FORMATS["stm"](folder / "lvc_refe.stm")
    plain = re.sub(r"\{ ([^/{}]*?) /[^{}]*\}", r"\1", (folder / "lvc_refe.stm").read_text())
    ref = write(tmp_path / "ref.stm", [plain.replace("\\;", "'").lower()])
    words = re.sub(
        r"^[^\n]*<ALT>.*?<ALT_END>\n|^[^\n]*<ALT_BEGIN>\n", "", (folder / "lvc_hyp.ctm").read_text(), flags=re.M | re.S
    )
    words = words.replace("\\;", "'")
    hyp = write(
        tmp_path / "hyp.ctm", [re.sub(r";\S*", "", line) for line in words.lower().splitlines() if line[:2] != ";;"]
    )
    found = score(ref, hyp, profiles=["raw"])["raw"]["tuned"]["wer"]
    table = _TOTAL.search(sclite(ref, hyp, "rsum", "-s"))
    n, errors = int(table[1].split()[1]), int(table[2].split()[4])
    assert (found["N"], found["S"] + found["D"] + found["I"]) == (n, errors)
