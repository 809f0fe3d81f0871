"""Usable rows → utterances, each in its split: the person's own, completed where it lacks a part; else ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from parlure.corpus.agents import CUSTOMER, Member, find_agents, said_of_agents, without_agents
from parlure.corpus.examine import Taken, place
from parlure.corpus.folds import assign_folds
from parlure.corpus.leaks import said_of_leaks
from parlure.corpus.manifest import SPLITS, Utterance
from parlure.corpus.split import (
    DEFAULT_RATIOS,
    GROUP_KEYS,
    assign_splits,
    check_given_splits,
    given_split,
    qualify_speakers,
)
from parlure.errors import ParlureError

MIN_TEST_SPEAKERS = 8  # fewer, and the interval of a difference over speakers is wider than most differences


@dataclass(frozen=True)
class Placed:
    """The utterances with their splits, how they were split, and what to say of it; the same for each of several folds.

    Of folds, the first is also the whole.
    """

    utterances: list[Utterance]
    split: dict[str, Any]
    warnings: tuple[str, ...]
    folds: tuple[Placed, ...] = ()


@dataclass(frozen=True)
class _Division:
    """The split of each id, what ``corpus.json`` says of it, and warnings."""

    split_of: Mapping[str, str]
    how: dict[str, Any]
    warnings: tuple[str, ...] = ()


def place_all(
    by_id: Mapping[str, Taken],
    names: Mapping[Path, str],
    local_speakers: bool | None,
    ratios: Sequence[float] | None,
    group_by: Collection[str],
    seed: int,
    n_folds: int | None = None,
) -> Placed:
    """Give every row its split.

    Args:
        by_id: the rows by the ids of their utterances.
        names: of recordings; a recording stands for the session of a row that names none.
        local_speakers: whether speaker names hold only within a session; None guesses.
        ratios: shares of train, dev and test; None is the usual ones, where the rows have no split of their own.
        group_by, seed: see :func:`parlure.corpus.split.assign_splits`.
        n_folds: so many splits instead of one; the rows' own is then not used.

    Raises:
        ParlureError: too few groups, or a split of the rows' own that says what it should not.
    """
    found = [_member(name, one, names, local_speakers) for name, one in by_id.items()]
    members, warnings = qualify_speakers(found, local_speakers)
    tied, keys, agents = members, group_by, None
    if tuple(group_by) == CUSTOMER:
        agents = find_agents(members)
        tied, keys = without_agents(members, agents), GROUP_KEYS
        warnings += (said_of_agents(agents, members),)
    if n_folds is None:
        divisions = [_divide(by_id, tied, ratios, keys, seed)]
    else:
        divisions = _folds(by_id, tied, n_folds, ratios, keys, seed)
    recordings = {path: str(path.resolve()) for path in names}  # once each: a million rows name a few recordings
    placed = []
    for division in divisions:
        utterances = [
            _utterance(by_id[member.id], member, division.split_of[member.id], recordings) for member in members
        ]
        split = {**division.how, "group_by": list(group_by)} | ({} if agents is None else {"agents": agents})
        said = (*warnings, *division.warnings, *said_of_leaks(utterances, by_id), *_thin_ice(utterances))
        placed.append(Placed(utterances, split, said))
    return placed[0] if n_folds is None else replace(placed[0], folds=tuple(placed))


def _folds(
    by_id: Mapping[str, Taken],
    members: Sequence[Member],
    n_folds: int,
    ratios: Sequence[float] | None,
    group_by: Collection[str],
    seed: int,
) -> list[_Division]:
    plans = assign_folds(members, n_folds, ratios=ratios, group_by=group_by, seed=seed)
    named = any(one.row.split is not None for one in by_id.values())
    said = ("the sources' own split was not used: --folds makes others",) if named else ()
    how = {"method": "folds", "n_folds": n_folds, "n_groups": plans[0].n_groups, "seed": seed}
    return [_Division(plan.split_of, {**how, "fold": n}, (*said, *plan.warnings)) for n, plan in enumerate(plans, 1)]


def _member(name: str, one: Taken, names: Mapping[Path, str], local_speakers: bool | None) -> Member:
    session = one.row.session or names[one.row.audio]
    speaker = one.row.speaker
    if one.party is not None:  # a name by the channel is that of a party of this call, unless the person knows better
        speaker = one.party if local_speakers is not None else f"{session}/{one.party}"
    return Member(name, one.end - one.start, speaker, session)


def _divide(
    by_id: Mapping[str, Taken],
    members: Sequence[Member],
    ratios: Sequence[float] | None,
    group_by: Collection[str],
    seed: int,
) -> _Division:
    """The sources' own split if they have one (``given``), what it lacks taken out of train; else ours (``groups``)."""
    shares = tuple(DEFAULT_RATIOS if ratios is None else ratios)
    given = _given(by_id)
    named = set(given.values())
    if not named or named == {"train"} or (len(named) == 1 and ratios is not None):
        plan = assign_splits(members, ratios=shares, group_by=group_by, seed=seed)
        how = {"method": "groups", "n_groups": plan.n_groups, "seed": seed, "ratios": list(shares)}
        said = [f"the only split that the sources name is {name}: that is none, and was divided" for name in named]
        return _Division(plan.split_of, how, (*said, *plan.warnings))
    n_groups = check_given_splits(members, given, group_by)
    share_of = dict(zip(SPLITS, shares, strict=True))
    lacking = [split for split in SPLITS if split not in named and share_of[split] > 0]
    if lacking and "train" in named and share_of["train"] > 0:
        return _completed(members, given, share_of, lacking[0], group_by, seed)
    warnings = []
    if "train" not in named:
        warnings.append("the sources' own split has no train: this corpus is for evaluating alone")
    elif ratios is not None:
        warnings.append("--ratios was not used: the sources have a split of their own")
    return _Division(given, {"method": "given", "n_groups": n_groups}, tuple(warnings))


def _given(by_id: Mapping[str, Taken]) -> dict[str, str]:
    """The split that each row names; empty if none does, or if train is all that some say."""
    said = {name: one.row.split for name, one in by_id.items() if one.row.split is not None}
    given = {}
    for name, split in said.items():
        try:
            given[name] = given_split(split)
        except ParlureError as error:
            raise ParlureError(f"{place(by_id[name].row)}: {error.message}", error.hint) from error
    silent = [name for name in by_id if name not in given]
    if silent and set(given.values()) - {"train"}:
        raise ParlureError(
            f"{place(by_id[silent[0]].row)} has no split though other rows have one",
            "fill the column split in every row, or leave it out and parlure divides",
        )
    return given


def _completed(
    members: Sequence[Member],
    given: Mapping[str, str],
    share_of: Mapping[str, float],
    lacking: str,
    group_by: Collection[str],
    seed: int,
) -> _Division:
    """A person's own split without dev or test, and that one taken out of train, whole groups at a time.

    Groups of train share nothing with the other given split, so neither does what is taken out of them.
    """
    whole = share_of["train"] + share_of[lacking]
    shares = [share_of[split] / whole if split in ("train", lacking) else 0.0 for split in SPLITS]
    own = [member for member in members if given[member.id] == "train"]
    plan = assign_splits(own, ratios=shares, group_by=group_by, seed=seed)
    split_of = {**given, **plan.split_of}
    how = {
        "method": "given", "n_groups": check_given_splits(members, split_of, group_by),
        "taken_from_train": lacking, "seed": seed, "ratios": list(share_of.values()),
    }  # fmt: skip
    moved_s = sum(member.duration_s for member in own if split_of[member.id] == lacking)
    share = moved_s / sum(member.duration_s for member in own)
    said = (
        f"the sources' own split has no {lacking}: {share:.0%} of the hours of train were made {lacking}, whole groups "
        "at a time"
    )
    return _Division(split_of, how, (said, *plan.warnings))


def _utterance(one: Taken, member: Member, split: str, recordings: Mapping[Path, str]) -> Utterance:
    row = one.row
    return Utterance(
        id=member.id,
        recording=recordings[row.audio],
        start=one.start,
        end=one.end,
        channel=one.channel,
        text=one.text,
        language=one.language,
        task=one.task,
        speaker=member.speaker,
        session=row.session,
        split=split,
        segments=row.segments,
        prompt=row.prompt,
        tags=row.tags,
    )


def _thin_ice(utterances: Sequence[Utterance]) -> list[str]:
    """Warnings about what the test split can show."""
    warnings = []
    n_unknown = sum(utterance.speaker is None for utterance in utterances)
    if n_unknown:
        warnings.append(
            f"{n_unknown} of {len(utterances)} utterances name no speaker: calls are kept on one side of the split, "
            "but a person may be on both"
        )
    test = [utterance for utterance in utterances if utterance.split == "test"]
    n_speakers = len({utterance.speaker for utterance in test} - {None})
    if not test:
        warnings.append("there is no test split: nothing can be proved with this corpus")
    elif n_speakers < MIN_TEST_SPEAKERS and n_unknown < len(utterances):
        warnings.append(
            f"the test split has {n_speakers} known speaker{'s' * (n_speakers != 1)}: with fewer than "
            f"{MIN_TEST_SPEAKERS} only large differences can be told from chance"
        )
    return warnings
