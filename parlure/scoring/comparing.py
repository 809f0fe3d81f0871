"""Report folders → one comparison of any number of runs that were evaluated on the same utterances.

Each report brings its ``tuned`` under the folder's name; ``base`` comes along once, if all reports that have one have
the same. Every pair with the chosen reference is compared as in a single report; Holm's method (Holm 1979) accounts
for looking at several runs at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.scoring.rates import Counts
from parlure.scoring.significance import block_numbers, compare, rate_interval
from parlure.scoring.utterances import ScoredUtterance, counts_to_json, read_jsonl, utterance_from_json

SCHEMA_VERSION = 1


def _read(folder: Path) -> tuple[dict[str, Any], list[ScoredUtterance]]:
    path = folder / "report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return report, [utterance_from_json(line) for _, line in read_jsonl(folder / "utterances.jsonl")]
    except OSError as error:
        raise ParlureError(
            f"cannot read {path}: {error.strerror}", "give folders that parlure evaluate made"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ParlureError(f"{folder} does not hold a whole report: {error!r}", "evaluate again") from error


def _check_alike(first: Path, mine: Sequence[ScoredUtterance], other: Path, theirs: Sequence[ScoredUtterance]) -> None:
    texts, others = ({one.id: one.reference for one in some} for some in (mine, theirs))
    for id_ in texts.keys() | others.keys():
        if texts.get(id_) != others.get(id_):
            raise ParlureError(
                f"{first} and {other} were not evaluated on the same utterances: {id_} is not the same in both",
                "evaluate all runs on one corpus and split",
            )


def _check_profiles(first: Path, mine: dict[str, Any], other: Path, theirs: dict[str, Any], profile: str) -> None:
    if mine["normalizers"][profile] != theirs["normalizers"].get(profile):
        raise ParlureError(
            f"{first} and {other} were not scored with the same profile {profile}",
            "score both with this version of parlure",
        )


def _check_conditions(first: Path, mine: dict[str, Any], other: Path, theirs: dict[str, Any]) -> None:
    """What was decoded has to sound the same: through one telephone channel, or as it was recorded."""
    heard = [(report["systems"].get("tuned", {}).get("decode") or {}).get("condition") for report in (mine, theirs)]
    if heard[0] != heard[1]:
        names = ["the recordings as they are" if one is None else one["channel"] for one in heard]
        raise ParlureError(
            f"{first} and {other} were not evaluated on the same sound: {names[0]}, and {names[1]}",
            "evaluate both with one --condition, one version of parlure and of its codecs",
        )


def gather(folders: Sequence[Path]) -> tuple[list[ScoredUtterance], dict[str, Any], str]:
    """The utterances with every run's hypotheses and counts, the systems' descriptions, and the headline profile.

    Raises:
        ParlureError: fewer than two reports, one is not whole, two are called alike, or they are not of the same
            utterances and profile.
    """
    if len(folders) < 2:
        raise ParlureError("there is nothing to compare", "give at least two report folders")
    names = [folder.resolve().name for folder in folders]
    for name in names:
        if names.count(name) > 1 or name == "base":
            raise ParlureError(f"two of the reports are called {name}", "give their folders names of their own")
    reports = [_read(folder) for folder in folders]
    first, utterances = reports[0]
    profile = first["headline_profile"]
    columns: dict[str, dict[str, ScoredUtterance]] = {}
    systems: dict[str, Any] = {}
    for folder, name, (report, theirs) in zip(folders, names, reports, strict=True):
        _check_alike(folders[0], utterances, folder, theirs)
        _check_profiles(folders[0], first, folder, report, profile)
        _check_conditions(folders[0], first, folder, report)
        for system in ("base", "tuned"):
            if system in report["systems"]:
                called = "base" if system == "base" else name
                _check_base(called, systems, report["systems"][system], folder)
                systems[called] = report["systems"][system]
                columns[called] = {one.id: _only(one, system, called, profile) for one in theirs}
    order = ["base"] * ("base" in systems) + names
    return [_joined(one.id, columns, order) for one in utterances], {name: systems[name] for name in order}, profile


def _check_base(called: str, systems: dict[str, Any], description: dict[str, Any], folder: Path) -> None:
    known = systems.get("base")
    if called == "base" and known and known.get("hash") != description.get("hash"):
        raise ParlureError(f"{folder} has another base model than the first report", "compare runs of one base")


def _only(one: ScoredUtterance, system: str, called: str, profile: str) -> ScoredUtterance:
    return replace(
        one, hypotheses={called: one.hypotheses[system]}, counts={profile: {called: one.counts[profile][system]}}
    )


def _joined(id_: str, columns: dict[str, dict[str, ScoredUtterance]], order: Sequence[str]) -> ScoredUtterance:
    parts = [columns[name][id_] for name in order]
    profile = next(iter(parts[0].counts))
    return replace(
        parts[0],
        hypotheses={name: part.hypotheses[name] for name, part in zip(order, parts, strict=True)},
        counts={profile: {name: part.counts[profile][name] for name, part in zip(order, parts, strict=True)}},
        extra={},
    )


def compare_reports(
    folders: Sequence[Path], against: str | None = None
) -> tuple[list[ScoredUtterance], dict[str, Any]]:
    """The utterances, and what ``comparison.json`` holds.

    Args:
        folders: of reports, as ``parlure evaluate`` writes them.
        against: the system that the others are compared with: ``base`` or a folder's name; by default ``base``, or the
            first report where there is none.

    Raises:
        ParlureError: see :func:`gather`; or ``against`` is none of the systems.
    """
    utterances, systems, profile = gather(folders)
    reference = against or next(iter(systems))
    if reference not in systems:
        raise ParlureError(
            f"there is no system called {reference} to compare with", f"choose among {', '.join(systems)}"
        )
    counted = [one for one in utterances if one.task == "transcribe"]
    speakers, sessions = [one.speaker for one in counted], [one.session for one in counted]
    blocks = block_numbers(speakers, sessions)
    words = {name: [one.counts[profile][name].words for one in counted] for name in systems}
    rows: dict[str, Any] = {}
    for name, description in systems.items():
        total = Counts.total(words[name])
        row: dict[str, Any] = {"model": description.get("model"), "hash": description.get("hash")}
        row["wer"] = counts_to_json(total) | {"rate": total.rate, "ci95": rate_interval(words[name], blocks)}
        if name != reference:
            row["comparison"] = asdict(compare(words[reference], words[name], speakers, sessions))
        rows[name] = row
    add_holm(rows)
    return utterances, {
        "schema_version": SCHEMA_VERSION,
        "profile": profile,
        "against": reference,
        "n_utterances": len(counted),
        "systems": rows,
    }


def add_holm(rows: dict[str, Any]) -> None:
    """``p_holm`` beside each p: the smallest error rate over all these looks at which it would still be rejected."""
    compared = sorted(
        (row["comparison"] for row in rows.values() if "comparison" in row), key=lambda one: one["p_value"]
    )
    largest = 0.0
    for rank, one in enumerate(compared):
        largest = max(largest, min(1.0, (len(compared) - rank) * one["p_value"]))
        one["p_holm"] = largest


def write_comparison(out: Path, folders: Sequence[Path], against: str | None = None) -> dict[str, Any]:
    """Write ``comparison.json`` and ``comparison.html`` into a folder and return the first.

    Raises:
        ParlureError: see :func:`compare_reports`; or a file cannot be written.
    """
    from parlure.scoring.page.comparison import comparison_page

    utterances, comparison = compare_reports(folders, against)
    numbers = json.dumps(comparison, ensure_ascii=False, indent=2, allow_nan=False)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "comparison.json").write_text(numbers + "\n", encoding="utf-8")
        (out / "comparison.html").write_text(comparison_page(utterances, comparison), encoding="utf-8")
    except OSError as error:
        raise ParlureError(
            f"cannot write the comparison into {out}: {error.strerror}", "choose another --out"
        ) from error
    return comparison
