"""python independent.py REPORT: its error rates and slices once more, from the texts of its utterances.jsonl alone."""

import json
import re
import sys
from pathlib import Path

from parlure.scoring.normalize import get_profile

BINS = {"duration_s": "<1 1-2 2-5 5-10 10-30 >=30", "level_db": "<-50 -50..-40 -40..-30 -30..-20 >=-20"}
BINS |= {"snr_db": "<0 0-5 5-10 10-15 15-20 20-30 >=30", "speech_rate": "<1 1-2 2-3 3-4 4-5 >=5"}


def edits(left, right):
    line = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        last, line[0] = line[0], i
        for j, b in enumerate(right, 1):
            last, line[j] = line[j], min(line[j] + 1, line[j - 1] + 1, last + (a != b))
    return line[-1]


def values_of(row, name):
    value = row.get(name)
    if name in BINS and isinstance(value, (int, float)):
        value = [b for b in BINS[name].split() if b[0] == "<" or value >= float(re.search(r"-?\d+", b)[0])][-1]
    none = f"(no {name.rstrip('s')})" if name in ("speaker", "session", "tags") else "(unknown)"
    return value or [none] if name == "tags" else [none if value is None else str(value)]


def total(counts):
    errors = {key: sum(one[key] for one in counts) for key in "SDIN"}
    return errors | {"rate": 100 * (sum(errors.values()) - errors["N"]) / errors["N"] if errors["N"] else None}


def check(report, rows):
    for profile, system in [(profile, system) for profile in report["profiles"] for system in report["systems"]]:
        words, block = [row["counts"][profile][system] for row in rows], report["profiles"][profile][system]
        for u, one in zip(rows, words, strict=True):
            a, b = map(get_profile(profile).normalize, (u["reference"], u["hypotheses"][system]))
            for c, x, y in ((one, a.split(), b.split()), (one["cer"], a, b)):
                yield u["id"], (sum(map(c.get, "SDI")), c["N"], c["I"] - c["D"]), (edits(x, y), len(x), len(y) - len(x))
        yield profile, [block["wer"], block["cer"]], [total(words), total([one["cer"] for one in words])]
    head = report["headline_profile"]
    for row, n in zip(rows, [row["counts"][head][system]["N"] for row in rows], strict=True):
        row["speech_rate"] = (n / row["duration_s"] if row["duration_s"] else None) if n else "(no words)"
    for name, cut in report["slices"].items():
        yield name, sorted(cut), sorted({value for row in rows for value in values_of(row, name)})
        for value, one in cut.items():
            those = [row for row in rows if value in values_of(row, name)]
            seconds = sum(row["duration_s"] or 0 for row in those)
            yield value, f"{one['n']} {one['seconds']:.6f}", f"{len(those)} {seconds:.6f}"
            for of, wer in one["wer"].items():
                yield value, wer | {"ci95": 0}, total([row["counts"][head][of] for row in those]) | {"ci95": 0}


report, rows = (Path(sys.argv[1], name).read_text("utf-8") for name in ("report.json", "utterances.jsonl"))
found = check(json.loads(report), [r for r in map(json.loads, rows.splitlines()) if r["task"] == "transcribe"])
sys.exit("\n".join(f"{one}: {its}, not {own}" for one, its, own in found if its != own) or 0)
