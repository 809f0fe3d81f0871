"""python independent_rest.py REPORT: what independent.py leaves out: other rates, differences, intervals, skills."""

import json
import math
import random
import sys
from pathlib import Path
from statistics import fmean

from parlure.scoring.normalize import get_profile

SIGNS = [random.Random(n).choices((-1, 1), k=999) for n in range(4000)]


def lines(name):
    path = Path(sys.argv[1], name)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def near(its, own, within=1e-9):
    return its == own if None in (its, own) else abs(its - own) <= within


def blocks_of(rows):
    blocks = []
    for i, row in enumerate(rows):
        own = {(name, row[name]) for name in ("speaker", "session", "block") if row.get(name) is not None} or {i}
        joined, blocks = [b for b in blocks if b[0] & own], [b for b in blocks if not b[0] & own]
        blocks.append((own.union(*(b[0] for b in joined)), [i, *(j for b in joined for j in b[1])]))
    return [indices for _, indices in blocks]


def extreme(errors, words, blocks, theta):
    """How many of 4,000 random patterns of signs are as far from zero, in per cent."""
    rest = [sum(errors[i] - theta * words[i] for i in block) for block in blocks]
    sums = [abs(sum(s * r for s, r in zip(signs, rest, strict=False))) for signs in SIGNS]
    return 100 * fmean(one > abs(sum(rest)) - 1e-6 for one in sums)


def interval(of, ci95, errors, words, blocks):
    """At both ends about one pattern in twenty is as extreme."""
    for end in ci95 if ci95 and len(blocks) > 7 and any(errors) else []:
        p = extreme(errors, words, blocks, end / 100)
        yield of, f"an interval to {end} (p = {p:.1f} %)", 3 < p < 8 or end in (0, 100)


def of_profile(name, block, rows, systems):
    n = [next(iter(row["counts"][name].values()))["N"] for row in rows]
    per = {x: [sum(row["counts"][name][x][k] for k in "SDI") for row in rows] for x in systems}
    blocks = blocks_of(rows)
    for x, errors in per.items():
        s, i = (sum(row["counts"][name][x][k] for row in rows) for k in "SI")
        hits, its = sum(n) - sum(errors) + i, block[x]
        yield name, "mer", near(its["mer"], 100 * sum(errors) / (sum(n) + i))
        yield name, "wil", near(its["wil"], 100 - 100 * hits**2 / sum(n) / (hits + s + i) if hits else 100.0)
        yield name, "ser", its["ser"]["wrong"] == sum(map(bool, errors)) and its["ser"]["n"] == len(rows)
        yield name, "empty", its["empty_references"]["I"] == sum(e for e, one in zip(errors, n, strict=True) if not one)
    if found := block.get("comparison"):
        change = [b - a for a, b in zip(per["base"], per["tuned"], strict=True)]
        yield name, "difference", near(found["difference"], 100 * sum(change) / sum(n))
        yield name, "p_value", near(100 * found["p_value"], extreme(change, n, blocks, 0), 2.5)
        yield from interval(name, found["ci95"], change, n, blocks)


def failed(skill, row, x):
    """(failures, trials) of a system in a row of skills.jsonl."""
    if skill == "language_identification":
        return int(row["identified"][x] != row["language"]), 1
    if skill.startswith("silence"):
        text = row["hypotheses"][x]["free" if skill.endswith("free") else "pinned"]
        return int(get_profile("basic").normalize(text) != ""), 1
    return sum(row["counts"][x][k] for k in "SDI"), row["counts"][x]["N"]


COUNTED = ("language_identification", "silence", "guard", "long_form")


def of_skill(name, skill, asked, systems):
    kind, _, part = name.partition(".")
    rows = [row for row in asked if row["skill"] == kind and row.get("corpus", part) == part]
    for x in (x for x in systems if x in skill and rows and kind in COUNTED):
        errors, words = zip(*(failed(name, row, x) for row in rows), strict=True)
        rate = 100 * sum(errors) / sum(words)
        yield name, x, near(skill[x]["value"], 100 - rate if skill["better"] == "higher" else rate)


def of_calibration(block, rows, head):
    for x, its in block["systems"].items():
        sure = [(math.exp(r["avg_logprob"][x]), sum(r["counts"][head][x][k] for k in "SDI") == 0) for r in rows
                if r["avg_logprob"].get(x) is not None]  # fmt: skip
        good, bad = ([c for c, right in sure if right is kind] for kind in (True, False))
        wins = sum((a > b) + (a == b) / 2 for a in good for b in bad)
        yield "calibration", "auc", near(its["auc"], wins / len(good) / len(bad) if good and bad else None)
        yield "calibration", "accuracy", near(its["accuracy"], len(good) / len(sure))
        yield "calibration", "confidence", near(its["mean_confidence"], fmean(min(1.0, c) for c, _ in sure))


def check(report, rows, asked):
    for name, block in report["profiles"].items():
        yield from of_profile(name, block, rows, report["systems"])
    for name, skill in report["skills"].items():
        yield from of_skill(name, skill, asked, report["systems"])
    yield from of_calibration(report.get("calibration", {"systems": {}}), rows, report["headline_profile"])


told = json.loads(Path(sys.argv[1], "report.json").read_text("utf-8"))
spoken = [row for row in lines("utterances.jsonl") if row["task"] == "transcribe"]
sys.exit("\n".join(f"{of}: {what}" for of, what, right in check(told, spoken, lines("skills.jsonl")) if not right) or 0)
