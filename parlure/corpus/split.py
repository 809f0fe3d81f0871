"""Utterances → train, dev and test, so that nobody and no call is on two sides.

How, in order:
1. *Groups.* Utterances that share a speaker or a session belong together, and so do theirs, and so on (connected
   components). An unknown speaker joins nothing; neither does an unknown session.
2. *Order.* Groups longer than the smallest share come first, the longest first: they fit in few places. The others
   follow in an order drawn by hashing the seed with the ids of a group, so it does not depend on the rows' order.
3. *Placing.* Each group goes to the split that lacks most hours. The shares are therefore met to within the length
   of a group or two, and cannot be met better than groups allow.
4. A split left without a group takes the shortest group of the split that has most of them.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from parlure.corpus.agents import CUSTOMER, Member, cost_of_agents, find_agents, without_agents
from parlure.corpus.manifest import SPLITS
from parlure.errors import ParlureError

GROUP_KEYS = ("speaker", "session")
NO_GROUPS = ("none",)
DEFAULT_RATIOS = (0.8, 0.1, 0.1)
_GIVEN = {"train": "train", "training": "train", "dev": "dev", "valid": "dev", "validation": "dev", "val": "dev"}
_GIVEN |= {"test": "test", "testing": "test", "eval": "test"}
_DOMINANT = 0.5  # share of the hours: one group above it decides the split by itself
_SHARE_TOLERANCE = 0.05  # of the hours, how far a share may be from the wish before it is said

# names that tell the parties of one call apart, not people: a letter, a small number, a role
_ROLES = (
    "agent|advisor|conseill(er|ère)|customer|client|cliente|caller|callee|operator|interviewer|interviewee"
    "|host|guest|patient|doctor|in|out|left|right|inbound|outbound|me|other|unknown|teacher|student|moderator"
)
_NUMBERED = r"(spk|speaker|locuteur|channel|chan|ch)?[ _-]?\d{1,2}"
_LOCAL_NAME = re.compile(f"({_NUMBERED}|[a-h]|{_ROLES})", re.IGNORECASE)
_MAX_LOCAL_NAMES = 8
_MIN_LOCAL_SESSIONS = 3


@dataclass(frozen=True)
class SplitPlan:
    """Who goes where.

    Attributes:
        split_of: the split of each id.
        n_groups: how many groups there were to place.
        warnings: what a person should know before trusting a score, one sentence each.
    """

    split_of: dict[str, str]
    n_groups: int
    warnings: tuple[str, ...] = ()


def assign_splits(
    members: Sequence[Member],
    *,
    ratios: Sequence[float] = DEFAULT_RATIOS,
    group_by: Collection[str] = GROUP_KEYS,
    seed: int = 1,
) -> SplitPlan:
    """Divide utterances by hours, whole groups at a time (the module's docstring says how).

    Args:
        members: the utterances, ids unique, in any order.
        ratios: shares of train, dev and test; 0 leaves a split empty.
        group_by: what must not be shared: ``speaker``, ``session`` or both; ``customer`` is both, but for those who
            are in many sessions (:func:`parlure.corpus.agents.find_agents`); ``none`` divides utterance by utterance.
        seed: another seed draws another order of the groups.

    Raises:
        ParlureError: bad ratios or keys, or fewer groups than splits to fill.
    """
    check_options(ratios, group_by)
    members, group_by = resolve_customer(members, group_by)
    groups = groups_of(members, group_by)
    wanted = [split for split, ratio in zip(SPLITS, ratios, strict=True) if ratio > 0]
    if len(groups) < len(wanted):
        raise ParlureError(
            f"the corpus falls into {len(groups)} group{'s' * (len(groups) != 1)} without a speaker or session in "
            f"common, too few to fill {', '.join(wanted)}{_bridge(members, group_by)}",
            f"add recordings of other people, or loosen it: --group-by {_looser(members)}, or {_fewer(wanted)}",
        )
    hours = [sum(member.duration_s for member in group) / 3600 for group in groups]
    total_h = sum(hours)
    targets = {split: ratio * total_h for split, ratio in zip(SPLITS, ratios, strict=True) if ratio > 0}
    placed: dict[str, list[int]] = {split: [] for split in targets}
    lacking = dict(targets)
    for index in order_of_placing(groups, hours, min(targets.values()), seed):
        poorest = max(lacking, key=lambda split: lacking[split])
        placed[poorest].append(index)
        lacking[poorest] -= hours[index]
    _fill_empty(placed, hours)
    split_of = {member.id: split for split, indices in placed.items() for i in indices for member in groups[i]}
    shares = {split: sum(hours[i] for i in indices) / total_h for split, indices in placed.items()}
    warnings = []
    if tuple(group_by) == NO_GROUPS:
        warnings.append("utterances were divided one by one: speakers and calls are on both sides, and scores flatter")
    if len(wanted) > 1 and max(hours) > _DOMINANT * total_h:
        bridge = _bridge(groups[hours.index(max(hours))], group_by)
        warnings.append(f"one group holds {max(hours) / total_h:.0%} of the hours and cannot be divided{bridge}")
    if len(wanted) > 1 and "speaker" in group_by and (cost := cost_of_agents(groups, find_agents(members))):
        warnings.append(cost)
    if any(abs(share - targets[split] / total_h) > _SHARE_TOLERANCE for split, share in shares.items()):
        listed = ", ".join(f"{split} {share:.0%}" for split, share in shares.items())
        warnings.append(f"whole groups do not divide as asked: {listed} of the hours")
    return SplitPlan(split_of, len(groups), tuple(warnings))


def check_options(ratios: Sequence[float], group_by: Collection[str]) -> None:
    """See that ratios and keys make sense, before anything is read.

    Raises:
        ParlureError: they do not.
    """
    good = len(ratios) == len(SPLITS) and all(0 <= ratio <= 1 for ratio in ratios)
    if not good or abs(sum(ratios) - 1) > 1e-6:
        listed = ",".join(f"{ratio:g}" for ratio in ratios)
        raise ParlureError(f"the ratios {listed} are not three shares that make 1", "--ratios 0.8,0.1,0.1")
    _check_keys(group_by)


def is_own_split(name: str) -> bool:
    """Whether a name is one of those that a person gives to train, dev and test."""
    return name.strip().lower() in _GIVEN


def given_split(name: str) -> str:
    """``train``, ``dev`` or ``test`` for the name in a person's own split column.

    Raises:
        ParlureError: another name.
    """
    split = _GIVEN.get(name.strip().lower())
    if split is None:
        raise ParlureError(f"there is no split {name}", "a split column says train, dev (or validation) or test")
    return split


def check_given_splits(
    members: Sequence[Member], split_of: Mapping[str, str], group_by: Collection[str] = GROUP_KEYS
) -> int:
    """See that a person's own split puts no speaker and no session on two sides.

    Returns:
        How many groups there are.

    Raises:
        ParlureError: it does; the first, in alphabetical order, is named.
    """
    _check_keys(group_by)
    members, group_by = resolve_customer(members, group_by)
    leaks = _leaks(members, split_of, group_by)
    if leaks:
        (kind, name), *_ = sorted(leaks)
        found = " and ".join(split for split in SPLITS if split in leaks[kind, name])
        more = f", and {len(leaks) - 1} more like it" if len(leaks) > 1 else ""
        accepted = next((key for key in GROUP_KEYS if not _leaks(members, split_of, (key,))), "none")
        raise ParlureError(
            f"the {kind} {name} is in {found}{more}: the score would be of what the model has heard",
            f"leave out the split column and parlure divides, or accept it: --group-by {accepted}",
        )
    return len(groups_of(members, group_by))


def resolve_customer(members: Sequence[Member], group_by: Collection[str]) -> tuple[Sequence[Member], Collection[str]]:
    """``customer`` as members without agents and the keys that the others are grouped by; other keys as they are."""
    if tuple(group_by) != CUSTOMER:
        return members, group_by
    return without_agents(members, find_agents(members)), GROUP_KEYS


def _leaks(
    members: Sequence[Member], split_of: Mapping[str, str], group_by: Collection[str]
) -> dict[tuple[str, str], set[str]]:
    """Speakers and sessions that are in more than one split, with those."""
    splits: dict[tuple[str, str], set[str]] = defaultdict(set)
    for member in members:
        for key in _keys(member, group_by):
            splits[key].add(split_of[member.id])
    return {key: found for key, found in splits.items() if len(found) > 1}


def qualify_speakers(members: Sequence[Member], local: bool | None = None) -> tuple[list[Member], tuple[str, ...]]:
    """Make the names that hold only within a call (A and B, agent and customer) into names of the corpus.

    A local name gets its session in front: ``call_17/A``. With ``local=None`` names are taken as local when all of
    these hold: there are at most eight names; every one looks like a party and not a person (a letter from A to H,
    a number under 100 with or without ``speaker`` or the like, a role such as ``agent``); there are at least
    three sessions; some name is in at least half of them; and two of the names are in one session, or there is one name
    alone. A name such as ``marie`` is never taken as local, nor are ``1`` and ``2`` who each read clips of their own.

    Args:
        members: the utterances.
        local: True or False where the person knows.

    Returns:
        The members in the same order, and warnings.
    """
    guessed = local is None
    if local is None:
        local = _looks_local(members)
    if not local:
        return list(members), ()
    qualified = [
        replace(member, speaker=f"{member.session}/{member.speaker}")
        if member.speaker is not None and member.session is not None
        else member
        for member in members
    ]
    if not guessed:
        return qualified, ()
    names = sorted({member.speaker for member in members if member.speaker is not None})
    warning = (
        f"the speaker names {', '.join(names)} recur from session to session and are taken for the parties of each "
        "one, not for people: if they are people, say --global-speakers"
    )
    return qualified, (warning,)


def _looks_local(members: Iterable[Member]) -> bool:
    sessions_of: dict[str, set[str]] = defaultdict(set)
    for member in members:
        if member.speaker is not None and member.session is not None:
            sessions_of[member.speaker].add(member.session)
    n_sessions = len(set().union(*sessions_of.values()))
    is_met = sum(map(len, sessions_of.values())) > n_sessions  # somebody by somebody else
    return (
        n_sessions >= _MIN_LOCAL_SESSIONS
        and (is_met or len(sessions_of) == 1)
        and len(sessions_of) <= _MAX_LOCAL_NAMES
        and all(_LOCAL_NAME.fullmatch(name) for name in sessions_of)
        and any(2 * len(sessions) >= n_sessions for sessions in sessions_of.values())
    )


def _looser(members: Sequence[Member]) -> str:
    """The grouping that asks for less: without the agents, if that is what joins the groups."""
    return "customer" if find_agents(members) else "session"


def _fewer(wanted: Sequence[str]) -> str:
    """The flag that asks for one split less."""
    return "--ratios 0.9,0,0.1 for no dev split" if "dev" in wanted else "--ratios 1,0,0 for no test split"


def _check_keys(group_by: Collection[str]) -> None:
    if tuple(group_by) in (NO_GROUPS, CUSTOMER):
        return
    for key in group_by or [""]:
        if key not in GROUP_KEYS:
            named = key or "nothing"
            raise ParlureError(
                f"utterances cannot be grouped by {named}", "--group-by speaker,session, one of them, customer, or none"
            )


def _keys(member: Member, group_by: Collection[str]) -> list[tuple[str, str]]:
    """What ties an utterance to others: ``("speaker", name)``, ``("session", name)``."""
    values = {"speaker": member.speaker, "session": member.session}
    return [(kind, name) for kind, name in values.items() if kind in group_by and name is not None]


def groups_of(members: Sequence[Member], group_by: Collection[str]) -> list[list[Member]]:
    """Connected components over the keys, each sorted by id."""
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(key: tuple[str, str]) -> tuple[str, str]:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    # an utterance is a node too, so that one without a speaker and session is a group of its own
    for member in members:
        for key in _keys(member, group_by):
            parent[root(key)] = root(("", member.id))
    groups: dict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in sorted(members, key=lambda member: member.id):
        groups[root(("", member.id))].append(member)
    return list(groups.values())


def order_of_placing(
    groups: Sequence[Sequence[Member]], hours: Sequence[float], smallest_h: float, seed: int
) -> list[int]:
    """Indices of the groups in the order in which they are placed."""

    def place_in_line(index: int) -> tuple[bool, float, str]:
        ids = "\n".join(member.id for member in groups[index])
        drawn = hashlib.sha256(f"{seed}\n{ids}".encode()).hexdigest()
        is_long = hours[index] > smallest_h
        return not is_long, -hours[index] if is_long else 0.0, drawn

    return sorted(range(len(groups)), key=place_in_line)


def _fill_empty(placed: dict[str, list[int]], hours: Sequence[float]) -> None:
    for indices in placed.values():
        if not indices:
            giver = max(placed, key=lambda other: len(placed[other]))
            moved = min(placed[giver], key=lambda i: hours[i])
            placed[giver].remove(moved)
            indices.append(moved)


def _bridge(members: Iterable[Member], group_by: Collection[str]) -> str:
    """``: speaker X is in 12 of 14 sessions and joins them``, for the one who joins most; nothing if nobody does."""
    sessions = {member.session for member in members if member.session is not None}
    pairs = {(member.speaker, member.session) for member in members if None not in (member.speaker, member.session)}
    top = Counter(speaker for speaker, _ in sorted(pairs, key=str)).most_common(1)
    if "speaker" not in group_by or not top or top[0][1] < 2:
        return ""
    return f": the speaker {top[0][0]} is in {top[0][1]} of {len(sessions)} sessions and joins them"
