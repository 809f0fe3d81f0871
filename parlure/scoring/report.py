"""Scored utterances → report: ``report.json`` (numbers), ``utterances.jsonl`` (evidence), ``report.html`` (to read).

Every number of ``report.json`` is a sum over ``utterances.jsonl``; :func:`recompute` does that sum again from the
folder alone, without a model. Rates and differences are in points of per cent, differences tuned − base.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.scoring.calibration import calibration
from parlure.scoring.evidence import read_evidence, skills_of
from parlure.scoring.hallucination import false_text, hallucination
from parlure.scoring.mapsswe import Mapsswe, mapsswe, segment_errors
from parlure.scoring.normalize import check_headline, get_profile, headline_profile, profile_hash
from parlure.scoring.numbers import number_accuracy
from parlure.scoring.rates import Counts, Tally, tally_to_json
from parlure.scoring.significance import FEW_BLOCKS, MIN_BLOCKS, block_numbers, compare, rate_interval
from parlure.scoring.slices import slice_summary, slices
from parlure.scoring.spaced import spacing_cautions
from parlure.scoring.terms import Term, term_accuracy, terms_of_report
from parlure.scoring.utterances import (
    ScoredUtterance,
    counts_to_json,
    read_jsonl,
    utterance_from_json,
    utterance_to_json,
)
from parlure.scoring.writing import writing
from parlure.speech.audio import Samples

SCHEMA_VERSION = 1

_RESERVED = frozenset({"comparison", "unit", "better", "profile", "verdict"})  # keys beside the systems' names


def _word_counts(utterances: Iterable[ScoredUtterance], profile: str, system: str) -> list[Counts]:
    return [utterance.counts[profile][system].words for utterance in utterances]


def _n_words(utterance: ScoredUtterance, profile: str) -> int:
    """The reference's words under a profile, as they were counted."""
    return next(iter(utterance.counts[profile].values())).words.N


def _with_rate(counts: Counts) -> dict[str, Any]:
    return counts_to_json(counts) | {"rate": counts.rate}


def _comparison(utterances: Sequence[ScoredUtterance], profile: str) -> dict[str, Any]:
    comparison = compare(
        _word_counts(utterances, profile, "base"),
        _word_counts(utterances, profile, "tuned"),
        [utterance.speaker for utterance in utterances],
        [utterance.session for utterance in utterances],
    )
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(comparison).items()}


def _mapsswe(utterances: Sequence[ScoredUtterance], profile: str) -> Mapsswe:
    """The matched-pairs segment test; both systems are aligned again where either has an error."""
    normalize = get_profile(profile).normalize
    segments: list[tuple[int, int]] = []
    for utterance in utterances:
        if any(utterance.counts[profile][system].words.edits for system in ("base", "tuned")):
            texts = (utterance.reference, utterance.hypotheses["base"], utterance.hypotheses["tuned"])
            segments += segment_errors(*(normalize(text).split() for text in texts))
    return mapsswe(segments)


def _profile_block(utterances: Sequence[ScoredUtterance], profile: str, systems: Sequence[str]) -> dict[str, Any]:
    block: dict[str, Any] = {}
    for system in systems:
        characters = [utterance.counts[profile][system].characters for utterance in utterances]
        tally = Tally.of(_word_counts(utterances, profile, system), characters)
        block[system] = {"wer": _with_rate(tally.words), "cer": _with_rate(tally.characters)} | tally_to_json(tally)
    if {"base", "tuned"} <= set(systems):
        block["comparison"] = _comparison(utterances, profile)
    return block


def _transcription_skills(
    utterances: Sequence[ScoredUtterance], profiles: Sequence[str], headline: str, systems: Sequence[str]
) -> dict[str, Any]:
    """``transcription.<lang>`` per language, each under its own language's headline profile where that was scored."""
    skills: dict[str, Any] = {}
    for language in sorted({utterance.language for utterance in utterances if utterance.language}):
        those = [utterance for utterance in utterances if utterance.language == language]
        profile = headline_profile(language) if headline_profile(language) in profiles else headline
        blocks = block_numbers([one.speaker for one in those], [one.session for one in those])
        skill: dict[str, Any] = {"unit": "WER, points of per cent", "better": "lower", "profile": profile}
        for system in systems:
            counts = _word_counts(those, profile, system)
            interval = rate_interval(counts, blocks)
            skill[system] = {
                "value": Counts.total(counts).rate,
                "n": len(those),
                "ci95": None if interval is None else list(interval),
            }
        paired = {"base", "tuned"} <= set(systems)
        skill["verdict"] = _comparison(those, profile)["verdict"] if paired else None
        skills[f"transcription.{language}"] = skill
    return skills


def _cautions(
    everything: Sequence[ScoredUtterance], counted: Sequence[ScoredUtterance], headline: str, block: Mapping[str, Any]
) -> list[str]:
    """What a reader must know before believing the numbers."""
    cautions = []
    if len(everything) > len(counted):
        n_others = len(everything) - len(counted)
        cautions.append(f"{n_others} utterances of another task than transcribe are not in the error rates.")
    if not counted:
        cautions.append("No utterance has the task transcribe: there is no error rate.")
    unknown = sum(utterance.speaker is None and utterance.session is None for utterance in counted)
    if unknown:
        cautions.append(
            f"{unknown} of {len(counted)} utterances have neither speaker nor session and count as independent: "
            "intervals are narrower than they should be."
        )
    n_blocks = block["comparison"]["n_blocks"] if "comparison" in block else FEW_BLOCKS
    if n_blocks < MIN_BLOCKS:
        cautions.append(f"Only {n_blocks} independent speakers or sessions: no verdict below {MIN_BLOCKS}.")
    elif n_blocks < FEW_BLOCKS:
        cautions.append(f"Only {n_blocks} independent speakers or sessions: intervals are approximate.")
    empty = sum(not utterance.reference.strip() for utterance in counted)
    if empty:
        cautions.append(f"{empty} utterances have an empty reference (no speech): their words count as insertions.")
    emptied = sum(bool(one.reference.strip()) and not _n_words(one, headline) for one in counted)
    if emptied:
        cautions.append(f"{emptied} references have no word left under the profile {headline}.")
    return cautions + spacing_cautions(counted)


def _beyond_error_rates(
    utterances: Sequence[ScoredUtterance], profile: str, systems: Sequence[str], terms: Sequence[Term]
) -> dict[str, Any]:
    """What an error rate does not show; a measure that has nothing to measure is left out."""
    measures = {
        "hallucination": hallucination(utterances, profile, systems),
        "false_text": false_text(utterances, profile, systems),
        "terms": term_accuracy(utterances, profile, systems, terms),
        "numbers": number_accuracy(utterances, profile, systems),
        "writing": writing(utterances, systems),
        "calibration": calibration(utterances, profile, systems),
    }
    return {name: block for name, block in measures.items() if block is not None}


def build_report(
    utterances: Sequence[ScoredUtterance],
    systems: Mapping[str, Mapping[str, Any]],
    headline_profile: str,
    warnings: Sequence[str] = (),
    *,
    skills: Mapping[str, Any] | None = None,
    terms: Sequence[Term] = (),
    origin: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of ``report.json``.

    Args:
        utterances: scored, all under the same profiles and systems.
        systems: ``{SYSTEM: {"model", "hash", "decode"}}``; ``tuned`` and ``base`` together are compared.
        headline_profile: the profile that the report leads with; slices are under it.
        warnings: sentences to put before the report's own.
        skills: of :func:`parlure.scoring.evidence.skills_of`, beside ``transcription.<lang>``, which are computed here.
            ``broken`` names those of all of them whose verdict is ``worse``.
        terms: a person's words to look for, as :func:`parlure.scoring.terms.read_terms` gives them.
        origin: what no count says: ``data`` (which corpus and split, by hash) and ``training`` (its curve), if known.

    Raises:
        ParlureError: there is nothing to report, the headline profile was not scored or is lenient, or the systems
            named are not those that were scored.
    """
    if not utterances:
        raise ParlureError("there is no utterance to report on", "is the split empty?")
    profiles = list(utterances[0].counts)
    if headline_profile not in profiles:
        raise ParlureError(f"the profile {headline_profile} was not scored", f"scored: {', '.join(profiles)}")
    check_headline(headline_profile)
    if set(systems) != set(utterances[0].hypotheses) or not _RESERVED.isdisjoint(systems):
        raise ParlureError(
            f"the report is for {', '.join(systems) or 'no system'}, "
            f"but there are hypotheses of {', '.join(utterances[0].hypotheses) or 'no system'}",
            f"name each system that was scored; no name may be {', '.join(sorted(_RESERVED))}",
        )
    names = list(systems)
    counted = [utterance for utterance in utterances if utterance.task == "transcribe"]
    blocks = {profile: _profile_block(counted, profile, names) for profile in profiles}
    if "comparison" in blocks[headline_profile]:
        blocks[headline_profile]["comparison"]["mapsswe"] = asdict(_mapsswe(counted, headline_profile))
    cautions = _cautions(utterances, counted, headline_profile, blocks[headline_profile])
    measured = _transcription_skills(counted, profiles, headline_profile, names) | dict(skills or {})
    cuts = slices(counted, headline_profile, names)
    return {
        "schema_version": SCHEMA_VERSION,
        "headline_profile": headline_profile,
        "systems": {name: dict(system) for name, system in systems.items()},
        "normalizers": {
            profile: {"version": get_profile(profile).version, "hash": profile_hash(profile)} for profile in profiles
        },
        "profiles": blocks,
        "skills": measured,
        "broken": [name for name, skill in measured.items() if skill["verdict"] == "worse"],
        "slices": cuts,
        "slice_summary": slice_summary(cuts, names),
        **_beyond_error_rates(counted, headline_profile, names, terms),
        **(origin or {}),
        "warnings": list(dict.fromkeys([*warnings, *cautions])),
    }


def write_report(
    folder: Path,
    utterances: Sequence[ScoredUtterance],
    report: Mapping[str, Any],
    clip: Callable[[str], Samples] | None = None,
) -> None:
    """Write ``utterances.jsonl``, ``report.json`` and ``report.html`` into a folder, made if it is missing.

    Args:
        folder: the report.
        utterances: what the report was built from.
        report: as :func:`build_report` returns it.
        clip: utterance id → its 16 kHz mono samples, for the players of the page; None for a page without sound.

    Raises:
        ParlureError: a file cannot be written.
    """
    from parlure.scoring.page.build import report_page

    lines = [json.dumps(utterance_to_json(utterance), ensure_ascii=False) + "\n" for utterance in utterances]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "utterances.jsonl").write_text("".join(lines), encoding="utf-8")
        numbers = json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False)
        (folder / "report.json").write_text(numbers + "\n", encoding="utf-8")
        # The page last: it needs matplotlib and sound, and the numbers must be safe if either fails.
        (folder / "report.html").write_text(report_page(utterances, report, clip), encoding="utf-8")
    except OSError as error:
        raise ParlureError(
            f"cannot write the report into {folder}: {error.strerror}", "choose another --out"
        ) from error


def recompute(folder: Path) -> dict[str, Any]:
    """The report's numbers again, from ``utterances.jsonl`` and ``skills.jsonl``; equal to ``report.json`` unless
    someone edited one of them.

    Counts are summed as stored. What is not in them is taken over from ``report.json``: systems, data, training,
    warnings and normaliser versions.

    Raises:
        ParlureError: a file is missing or is not what a report folder holds.
    """
    path = folder / "report.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        utterances = [utterance_from_json(line) for _, line in read_jsonl(folder / "utterances.jsonl")]
        skills = skills_of(read_evidence(folder), list(stored["systems"]))
        terms = terms_of_report(stored.get("terms"))
        origin = {name: stored[name] for name in ("data", "training") if name in stored}
        report = build_report(
            utterances, stored["systems"], stored["headline_profile"], stored["warnings"],
            skills=skills, terms=terms, origin=origin,
        )  # fmt: skip
        return report | {"normalizers": stored["normalizers"]}
    except OSError as error:
        raise ParlureError(f"cannot read {path}: {error.strerror}", "give a report's folder") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ParlureError(f"{folder} does not hold a whole report: {error!r}", "evaluate or score again") from error
