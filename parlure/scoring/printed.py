"""Rates → the lines that ``parlure score`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parlure.errors import ParlureError


def report_lines(report: Mapping[str, Any], group_by: str | None = None) -> str:
    """A report's profiles, one line a system, and the comparison; then its terms and one line a slice, where wanted.

    Args:
        report: as :func:`parlure.scoring.report.build_report` returns it.
        group_by: one of the report's slices, such as ``speaker``.

    Raises:
        ParlureError: the report has no such slices.
    """
    if group_by is not None and group_by not in report["slices"]:
        raise ParlureError(f"there are no slices by {group_by}", f"there are some by {', '.join(report['slices'])}")
    lines = []
    for profile, systems in report["profiles"].items():
        lines += [_rates_lines(profile, name, systems[name]) for name in _in_order(systems)]
        if "comparison" in systems:
            lines.append(_comparison_line(profile, systems["comparison"]))
    rules = dict.fromkeys(one["comparison"]["rule"] for one in report["profiles"].values() if "comparison" in one)
    lines += [f"verdict: {rule}\n" for rule in rules]
    for name, parts in report["terms"]["systems"].items() if "terms" in report else ():
        lines.append(_terms_line(name, parts))
    for value, part in report["slices"][group_by].items() if group_by else ():
        for name in _in_order(part["wer"]):
            wer = part["wer"][name]
            lines.append(f"{value} {name:5} WER {_points(wer['rate'])} (N {wer['N']}, utterances {part['n']})\n")
    return "".join(lines)


def meeting_lines(profiles: Mapping[str, Any]) -> str:
    """What :func:`parlure.scoring.meeting.score_meeting` returns, one line a profile and system."""
    lines = []
    for profile, systems in profiles.items():
        for name, rates in systems.items():
            speakers = rates["speakers"]
            matched = f"{speakers['n']} speakers, {speakers['missed']} missed, {speakers['extra']} too many"
            lines.append(f"{profile:6} {name:5} cpWER {_with_errors(rates['cpwer'])}; {matched}\n")
    return "".join(lines)


def _in_order(systems: Mapping[str, Any]) -> list[str]:
    return [name for name in ("base", "tuned") if name in systems]


def _with_errors(wer: Mapping[str, Any]) -> str:
    return f"{_points(wer['rate'])} (S {wer['S']}, D {wer['D']}, I {wer['I']}, N {wer['N']})"


def _rates_lines(profile: str, system: str, rates: Mapping[str, Any]) -> str:
    ser, empty = rates["ser"], rates["empty_references"]
    others = {"CER": rates["cer"]["rate"], "MER": rates["mer"], "WIL": rates["wil"], "SER": ser["rate"]}
    line = f"{profile:6} {system:5} WER {_with_errors(rates['wer'])}"
    line += "".join(f", {name} {_points(rate)}" for name, rate in others.items()) + "\n"
    if empty["n"]:
        line += f"{'':12} empty references {empty['n']} of {ser['n']}, words inserted there {empty['I']}, "
        line += f"WER of the others {_points(empty['wer_of_the_others'])}\n"
    return line


def _terms_line(system: str, parts: Mapping[str, Any]) -> str:
    """Of all terms, and of those that the training texts hold or do not, where that is known."""
    everything, of_parts = parts["all"], [name for name in parts if name != "all"]
    line = f"terms  {system:5} recall {_points(everything['recall'])}"
    line += f" ({everything['n_right']} of {everything['n_reference']}), precision {_points(everything['precision'])}"
    line += f", F1 {_points(everything['f1'])}"
    for name in of_parts:
        one = parts[name]
        line += f"; {name} in training: recall {_points(one['recall'])} ({one['n_right']} of {one['n_reference']})"
    return line + "\n"


def _comparison_line(profile: str, comparison: Mapping[str, Any]) -> str:
    interval = ""
    if comparison["ci95"] is not None:
        low, high = comparison["ci95"]
        interval = f" [{low:+.2f}, {high:+.2f}]"
    difference = comparison["difference"]
    points = "undefined" if difference is None else f"{difference:+.2f} points"
    return f"{profile:6} difference {points}{interval}: {comparison['verdict']}\n"


def _points(rate: float | None) -> str:
    return "undefined" if rate is None else f"{rate:.2f} %"
