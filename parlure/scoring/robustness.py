"""Scored utterances of several conditions → the table of a robustness report: each condition's WER, N and intervals.

Every number of ``robustness.json`` is a sum over ``utterances.jsonl``, which has a line for each condition and
utterance; :func:`recompute` does that sum again from the folder alone. All conditions hold the same utterances and
speakers, so each is compared with ``clean`` pair by pair, as two systems are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from parlure.errors import ParlureError
from parlure.scoring.comparing import add_holm
from parlure.scoring.page.marks import in_order, interval_text, points
from parlure.scoring.rates import Counts
from parlure.scoring.significance import MIN_BLOCKS, block_numbers, compare, rate_interval
from parlure.scoring.utterances import ScoredUtterance, counts_to_json, read_jsonl, utterance_from_json

SCHEMA_VERSION: Final = 1
CLEAN: Final = "clean"  # the condition that the others are compared with: the first of every table
TABLE, PAGE, LINES = "robustness.json", "robustness.md", "utterances.jsonl"


def condition_rows(scored: Mapping[str, Sequence[ScoredUtterance]], profile: str) -> dict[str, dict[str, Any]]:
    """The table's rows.

    Args:
        scored: condition → the utterances, the same and in one order in each; :data:`CLEAN` among them.
        profile: under which they are counted.

    Returns:
        Condition → ``{SYSTEM: {"wer": {"S", "D", "I", "N", "rate", "ci95"}, "against_clean": …}, "comparison": …}``,
        the comparisons as :class:`parlure.scoring.significance.Comparison` has them; ``against_clean`` is of every
        condition but clean, ``comparison`` is tuned − base, with Holm's p over the table's conditions.
    """
    clean = scored[CLEAN]
    speakers, sessions = [one.speaker for one in clean], [one.session for one in clean]
    blocks = block_numbers(speakers, sessions)
    words = {
        name: {system: [one.counts[profile][system].words for one in own] for system in own[0].hypotheses}
        for name, own in scored.items()
    }
    rows: dict[str, dict[str, Any]] = {}
    for name, of_system in words.items():
        rows[name] = {}
        for system, counts in of_system.items():
            total = Counts.total(counts)
            wer = counts_to_json(total) | {"rate": total.rate, "ci95": rate_interval(counts, blocks)}
            rows[name][system] = {"wer": wer}
            if name != CLEAN:
                lost = compare(words[CLEAN][system], counts, speakers, sessions)
                rows[name][system]["against_clean"] = asdict(lost)
        if {"base", "tuned"} <= set(of_system):
            rows[name]["comparison"] = asdict(compare(of_system["base"], of_system["tuned"], speakers, sessions))
    add_holm(rows)
    return rows


def cautions(utterances: Sequence[ScoredUtterance], n_conditions: int) -> list[str]:
    """What a reader must know before believing the table."""
    blocks = block_numbers([one.speaker for one in utterances], [one.session for one in utterances])
    n_blocks = len({block for block, one in zip(blocks, utterances, strict=True) if one.reference.strip()})
    found = []
    if n_blocks < MIN_BLOCKS:
        found.append(f"Only {n_blocks} independent speakers or sessions: no verdict below {MIN_BLOCKS}.")
    if n_conditions > 1:
        found.append(f"{n_conditions} conditions: one interval in twenty misses the truth; p_holm allows for it.")
    return found


def markdown(table: Mapping[str, Any]) -> str:
    """The table for a page: rates in points of per cent, with 95 % intervals; lost is against clean."""
    systems = in_order(table["systems"])
    paired = {"base", "tuned"} <= set(systems)
    head = ["condition", "N"] + [name for system in systems for name in (f"{system}: WER", "lost")]
    head += ["tuned − base", "verdict"] if paired else []
    lines = [_line(head), _line(["---"] * len(head))]
    for name, row in table["conditions"].items():
        cells = [f"`{name}`", str(row[systems[0]]["wer"]["N"])]
        for system in systems:
            wer, lost = row[system]["wer"], row[system].get("against_clean")
            cells.append(f"{points(wer['rate'])} {interval_text(wer['ci95'])}".rstrip())
            cells.append(_difference(lost) if lost else "")
        if paired:
            cells += [_difference(row["comparison"]), row["comparison"]["verdict"]]
        lines.append(_line(cells))
    told = (
        f"{table['n_utterances']} utterances, {table['split']} split, profile {table['profile']}, seed {table['seed']}"
    )
    return "\n".join([*lines, "", f"WER in points of per cent [95 % interval], {told}. lost: against clean.", ""])


def write_table(out: Path, scored: Mapping[str, Sequence[ScoredUtterance]], table: Mapping[str, Any]) -> None:
    """Write ``utterances.jsonl``, ``robustness.md`` and, last, ``robustness.json`` into a folder.

    Raises:
        ParlureError: a file cannot be written.
    """
    from parlure.scoring.utterances import utterance_to_json

    lines = (
        json.dumps({"condition": name} | utterance_to_json(one), ensure_ascii=False) + "\n"
        for name, own in scored.items()
        for one in own
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / LINES).write_text("".join(lines), encoding="utf-8")
        (out / PAGE).write_text(markdown(table), encoding="utf-8")
        numbers = json.dumps(table, ensure_ascii=False, indent=2, allow_nan=False)
        (out / TABLE).write_text(numbers + "\n", encoding="utf-8")
    except OSError as error:
        raise ParlureError(f"cannot write the table into {out}: {error.strerror}", "choose another --out") from error


def recompute(folder: Path) -> dict[str, Any]:
    """The table again, from the lines of its folder; only what no count says is taken over from ``robustness.json``."""
    stored: dict[str, Any] = json.loads((folder / TABLE).read_text(encoding="utf-8"))
    scored: dict[str, list[ScoredUtterance]] = {}
    for name, one in _read(folder / LINES):
        scored.setdefault(name, []).append(one)
    rows = condition_rows(scored, stored["profile"])
    conditions = {name: {"channel": stored["conditions"][name]["channel"]} | row for name, row in rows.items()}
    return stored | {"conditions": conditions}


def _read(path: Path) -> Iterator[tuple[str, ScoredUtterance]]:
    for _, line in read_jsonl(path):
        name = line.pop("condition")
        yield name, utterance_from_json(line)


def _difference(comparison: Mapping[str, Any]) -> str:
    text = points(comparison["difference"], sign=True)
    return f"{text} {interval_text(comparison['ci95'], sign=True)}".rstrip()


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
