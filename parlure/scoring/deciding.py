"""A table of untuned models → what to do: which to take, and whether tuning has anything to gain.

What decides is the end of an interval, never a difference alone: "no evidence of a difference" may hide a large one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from parlure.scoring.page.marks import interval_text, percent, plural, points
from parlure.scoring.significance import MIN_BLOCKS

WORTH_POINTS: Final = 2.0  # of WER: a judgement, not a measurement, which is why the person may give another


def answer(table: Mapping[str, Any]) -> dict[str, str]:
    """``{"take", "tune", "verdict", "sentence"}``; the verdict is ``tune``, ``do not tune`` or ``undecided``.

    Args:
        table: of :func:`parlure.scoring.baseline.baseline_table`, up to its floor.
    """
    best = table["best"]
    take = _cheapest_as_good(table)
    verdict, tune = _tuning(table)
    return {"take": take, "verdict": verdict, "tune": tune, "sentence": f"{_taking(table, best, take)} {tune}"}


def _cheapest_as_good(table: Mapping[str, Any]) -> str:
    """Of the systems that lose less than is worth a tuning to the best, by the interval's far end, the fastest."""
    rows, best = table["systems"], table["best"]

    def is_as_good(name: str) -> bool:
        ci95 = rows[name].get("comparison", {}).get("ci95")
        return name == best or bool(ci95 and table["n_blocks"] >= MIN_BLOCKS and ci95[1] < table["worth"])

    timed = [name for name in rows if is_as_good(name) and rows[name]["work_s_per_audio_hour"] is not None]
    if rows[best]["work_s_per_audio_hour"] is None:  # made elsewhere: its price is not known
        return str(best)
    return str(min(timed, key=lambda name: float(rows[name]["work_s_per_audio_hour"])))


def _taking(table: Mapping[str, Any], best: str, take: str) -> str:
    rows = table["systems"]
    wer = rows[take]["wer"]
    said = f"Untuned, take {take}: WER {percent(wer['rate'])} {interval_text(wer['ci95'])}".rstrip()
    if take != best:
        times = rows[best]["work_s_per_audio_hour"] / rows[take]["work_s_per_audio_hour"]
        most = rows[take]["comparison"]["ci95"][1]
        said += (
            f"; {best} has {percent(rows[best]['wer']['rate'])}, which is at most {points(most)} points less, "
            f"for {times:.1f} times the work"
        )
    if table["n_blocks"] < MIN_BLOCKS:
        said += f", a guess from {plural(table['n_blocks'], 'independent group')} of speakers"
    return said + "."


def _tuning(table: Mapping[str, Any]) -> tuple[str, str]:
    """The verdict on tuning, and its sentence."""
    best, worth = table["best"], table["worth"]
    wer, floor = table["systems"][best]["wer"], table["floor"]
    beat = f"A tuned model would have to beat {best}, {percent(wer['rate'])}"
    if floor is None:
        if table["n_blocks"] >= MIN_BLOCKS and wer["ci95"] is not None and wer["ci95"][1] < worth:
            return "do not tune", (
                f"Do not tune for word errors: {best} gets at most {percent(wer['ci95'][1])} of the words wrong, "
                f"and a gain below {worth:g} points was said not to be worth it."
            )
        return "undecided", (
            f"{beat}; how far two people would be apart on these utterances is not known, so neither is what tuning "
            "can gain: have some transcribed a second time, and give them with --floor."
        )
    gap, people = floor["systems"][best], floor["wer"]
    apart = f"two people are {percent(people['rate'])} apart on {plural(floor['n_utterances'], 'utterance')}"
    far = f"{points(gap['difference'], sign=True)} points {interval_text(gap['ci95'], sign=True)}".rstrip()
    if gap["ci95"] is None or gap["n_blocks"] < MIN_BLOCKS:
        return "undecided", (
            f"{beat}; {apart}, {far} from it, which are too few speakers to tell: have more transcribed a second time."
        )
    if gap["ci95"][1] < worth:
        return "do not tune", (
            f"Do not tune for word errors: {apart}, and {best} is {far} from that; a gain below {worth:g} points was "
            "said not to be worth it."
        )
    if gap["ci95"][0] > 0:
        return "tune", f"{beat}; {apart}, so there are {far} to gain."
    return "undecided", f"{beat}; {apart}, and what there is to gain, {far}, may be nothing."
