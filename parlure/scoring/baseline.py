"""Untuned models on the same utterances → a table by error rate and price, and whether tuning is worth its own.

Every number of ``baseline.json`` that is no time or size is a sum over ``utterances.jsonl``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from parlure.scoring.comparing import add_holm
from parlure.scoring.deciding import WORTH_POINTS, answer
from parlure.scoring.page.marks import NO_NUMBER, interval_text, points
from parlure.scoring.rates import Counts
from parlure.scoring.significance import MIN_BLOCKS, block_numbers, compare, rate_interval
from parlure.scoring.utterances import ScoredUtterance, counts_to_json, score_text

SCHEMA_VERSION: Final = 1
TABLE, PAGE, LINES = "baseline.json", "baseline.html", "utterances.jsonl"


def baseline_table(
    utterances: Sequence[ScoredUtterance],
    systems: Mapping[str, Mapping[str, Any]],
    profile: str,
    *,
    second: Mapping[str, str] | None = None,
    price_per_hour: float | None = None,
    worth: float = WORTH_POINTS,
) -> dict[str, Any]:
    """What ``baseline.json`` says of systems, the lowest rate first.

    Args:
        utterances: with a hypothesis of every system.
        systems: name → ``{"model", "hash", "setting", "n_parameters", "n_bytes", "decode"}``; ``decode`` is None for
            texts that were made elsewhere, and has ``audio_s`` and ``work_s`` for what was decoded here.
        profile: under which words are counted.
        second: utterance id → a second person's transcript, of some of the utterances or all: the floor.
        price_per_hour: of this machine, in whatever currency.
        worth: points of WER below which a gain is not worth a tuning.

    Returns:
        ``{"profile", "n_utterances", "n_blocks", "best", "systems", "floor", "answer", "warnings"}``.
    """
    speakers, sessions = [one.speaker for one in utterances], [one.session for one in utterances]
    blocks = block_numbers(speakers, sessions)
    words = {name: [one.counts[profile][name].words for one in utterances] for name in systems}
    totals = {name: Counts.total(own) for name, own in words.items()}
    order = sorted(
        systems, key=lambda name: (totals[name].rate is None, totals[name].rate or 0.0, _cost(systems[name]))
    )
    rows: dict[str, dict[str, Any]] = {}
    for name in order:
        total = totals[name]
        rows[name] = dict(systems[name]) | _price(systems[name], price_per_hour)
        rows[name]["wer"] = counts_to_json(total) | {"rate": total.rate, "ci95": rate_interval(words[name], blocks)}
        if name != order[0]:
            rows[name]["comparison"] = asdict(compare(words[order[0]], words[name], speakers, sessions))
    add_holm(rows)
    n_blocks = len({block for block, one in zip(blocks, words[order[0]], strict=True) if one.N})
    table: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "profile": profile,
        "n_utterances": len(utterances),
        "n_blocks": n_blocks,
        "worth": worth,
        "price_per_hour": price_per_hour,
        "best": order[0],
        "systems": rows,
        "floor": None if second is None else _floor(utterances, words, profile, second),
    }
    return table | {"answer": answer(table), "warnings": _cautions(utterances, len(rows), n_blocks)}


def markdown(table: Mapping[str, Any]) -> str:
    """The table for a terminal or a page."""
    floor, priced = table["floor"], table["price_per_hour"] is not None
    head = ["system", "WER, % [95 %]", "S", "D", "I", "to the best [95 %]", "verdict", "s per audio hour"]
    head += ["price"] * priced + ["to the annotators [95 %]"] * bool(floor) + ["parameters", "MB"]
    lines = [_line(head), _line(["---"] * len(head))]
    for name, row in table["systems"].items():
        wer, other = row["wer"], row.get("comparison")
        cells = [name, f"{points(wer['rate'])} {interval_text(wer['ci95'])}", *(str(wer[key]) for key in "SDI")]
        cells += [difference_text(other), other["verdict"]] if other else ["", "lowest"]
        cells.append(NO_NUMBER if row["work_s_per_audio_hour"] is None else f"{row['work_s_per_audio_hour']:.0f}")
        if priced:
            cells.append(NO_NUMBER if row["price_per_audio_hour"] is None else f"{row['price_per_audio_hour']:.3f}")
        if floor:
            cells.append(difference_text(floor["systems"][name]))
        cells += [
            parameters_text(row["n_parameters"]),
            NO_NUMBER if row["n_bytes"] is None else f"{row['n_bytes'] / 1e6:.0f}",
        ]
        lines.append(_line([cell.strip() for cell in cells]))
    return "\n".join([*lines, ""])


def difference_text(comparison: Mapping[str, Any]) -> str:
    """A difference in points with its interval."""
    return f"{points(comparison['difference'], sign=True)} {interval_text(comparison['ci95'], sign=True)}".rstrip()


def parameters_text(number: int | None) -> str:
    """Millions of parameters."""
    return NO_NUMBER if number is None else f"{number / 1e6:.1f} M"


def _cost(system: Mapping[str, Any]) -> float:
    found = _price(system, None)["work_s_per_audio_hour"]
    return float("inf") if found is None else float(found)


def _price(system: Mapping[str, Any], price_per_hour: float | None) -> dict[str, float | None]:
    """Seconds of work, and money, for an hour of sound; None of texts that were made elsewhere."""
    decode = system["decode"]
    if decode is None or not decode["audio_s"]:
        return {"work_s_per_audio_hour": None, "price_per_audio_hour": None}
    work_s = 3600.0 * decode["work_s"] / decode["audio_s"]
    price = None if price_per_hour is None else price_per_hour * work_s / 3600.0
    return {"work_s_per_audio_hour": work_s, "price_per_audio_hour": price}


def _floor(
    utterances: Sequence[ScoredUtterance],
    words: Mapping[str, Sequence[Counts]],
    profile: str,
    second: Mapping[str, str],
) -> dict[str, Any]:
    """How far the second transcripts are from the references, and every system further, on the same utterances."""
    places = [place for place, one in enumerate(utterances) if one.id in second]
    both = [utterances[place] for place in places]
    speakers, sessions = [one.speaker for one in both], [one.session for one in both]
    people = [score_text(profile, one.reference, second[one.id]).words for one in both]
    total = Counts.total(people)
    ci95 = rate_interval(people, block_numbers(speakers, sessions))
    systems = {name: [own[place] for place in places] for name, own in words.items()}
    return {
        "n_utterances": len(both),
        "wer": counts_to_json(total) | {"rate": total.rate, "ci95": ci95},
        "systems": {name: asdict(compare(people, own, speakers, sessions)) for name, own in systems.items()},
    }


def _cautions(utterances: Sequence[ScoredUtterance], n_systems: int, n_blocks: int) -> list[str]:
    found = []
    if n_blocks < MIN_BLOCKS:
        found.append(f"Only {n_blocks} independent speakers or sessions: no verdict below {MIN_BLOCKS}.")
    unknown = sum(one.speaker is None and one.session is None for one in utterances)
    if unknown:
        found.append(
            f"{unknown} of {len(utterances)} utterances have neither speaker nor session and count as independent: "
            "intervals are narrower than they should be."
        )
    if n_systems > 2:
        found.append(
            f"The lowest of {n_systems} rates was found on the utterances that it is measured on, which flatters it: "
            "choose on dev, then measure the chosen one on test."
        )
    return found


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
