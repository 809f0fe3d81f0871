"""Who is in so many calls that calls share nothing but them: the agents of a call centre, an interviewer.

Such a person welds calls of people who have nothing else in common into one group, which then stays on one side of the
split. This says who they are and what that costs, and makes members that no longer name them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

AGENT_SHARE = 0.1  # of the sessions: who is in more of them is an agent,
MIN_AGENT_SESSIONS = 3  # if these are at least so many, and others speak in them too
CUSTOMER = ("customer",)  # grouping by speaker and session, without the agents
_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Member:
    """What the split needs to know of an utterance; None is not known."""

    id: str
    duration_s: float
    speaker: str | None = None
    session: str | None = None


def find_agents(members: Iterable[Member]) -> dict[str, int]:
    """Agents, and in how many sessions each is; who is in most comes first.

    An agent is in more than a tenth of the sessions, in at least three, and in at least three of them somebody else
    speaks too: a person who reads alone through many sittings joins nobody to anybody.
    """
    sessions_of: dict[str, set[str]] = defaultdict(set)
    speakers_in: dict[str, set[str]] = defaultdict(set)
    sessions = set()
    for member in members:
        if member.session is not None:
            sessions.add(member.session)
            if member.speaker is not None:
                sessions_of[member.speaker].add(member.session)
                speakers_in[member.session].add(member.speaker)
    found = {
        speaker: len(theirs)
        for speaker, theirs in sessions_of.items()
        if len(theirs) > AGENT_SHARE * len(sessions)
        and sum(len(speakers_in[session]) > 1 for session in theirs) >= MIN_AGENT_SESSIONS
    }
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def without_agents(members: Sequence[Member], agents: Collection[str]) -> list[Member]:
    """The members in their order, those of agents without a speaker: an agent joins nothing."""
    return [replace(member, speaker=None) if member.speaker in agents else member for member in members]


def cost_of_agents(groups: Sequence[Sequence[Member]], agents: Mapping[str, int]) -> str | None:
    """A sentence on the agent whose group is the longest, and what grouping by speaker costs; None without agents."""
    if not agents:
        return None
    total_s = sum(member.duration_s for group in groups for member in group)
    theirs = [group for group in groups if any(member.speaker in agents for member in group)]
    group = max(theirs, key=lambda group: sum(member.duration_s for member in group))
    inside = {member.speaker for member in group} - {None}
    name = next(name for name in agents if name in inside)
    share = sum(member.duration_s for member in group) / total_s
    n_sessions = len({member.session for group in groups for member in group} - {None})
    others = f" ({len(agents) - 1} more like it)" if len(agents) > 1 else ""
    return (
        f"the speaker {name} is in {agents[name]} of {n_sessions} sessions{others} and joins {len(inside)} speakers to "
        f"one group, {share:.0%} of the hours, that stays on one side of the split: --group-by customer divides "
        f"them and leaves those out of the grouping who are in more than {AGENT_SHARE:.0%} of the sessions"
    )


def said_of_agents(agents: Mapping[str, int], members: Iterable[Member]) -> str:
    """A sentence on who was left out of the grouping, and what the score then says."""
    rule = f"in more than {AGENT_SHARE:.0%} of the sessions (and at least {MIN_AGENT_SESSIONS}, not alone)"
    if not agents:
        return f"--group-by customer found nobody who is {rule}: the split is that of --group-by speaker,session"
    n_sessions = len({member.session for member in members} - {None})
    named = [f"{name} ({n} of {n_sessions})" for name, n in agents.items()]
    more = f" and {len(named) - _NAMED_AT_MOST} more" if len(named) > _NAMED_AT_MOST else ""
    return (
        f"left out of the grouping as {rule}: {', '.join(named[:_NAMED_AT_MOST])}{more}; they may be in train and in "
        "test, so the score is that of a model that has heard these agents; nobody else and no call is on two sides"
    )
