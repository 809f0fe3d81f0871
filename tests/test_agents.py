"""Agents who are in many calls: named, with what they cost, and left out of the grouping where the person asks."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import pytest
from test_prepare import Fields, run, write_call

from parlure.corpus.agents import Member, find_agents
from parlure.corpus.manifest import Corpus
from parlure.corpus.split import assign_splits, check_given_splits
from parlure.errors import ParlureError


def centre(n_calls: int, agents: tuple[str, ...], n_others: int = 0) -> list[Member]:
    """Calls of an agent, in turn, and a customer of its own; and people alone in theirs."""
    calls = [
        Member(f"{n} {who}", 10, who, f"call {n}")
        for n in range(n_calls)
        for who in (agents[n % len(agents)], f"customer {n}")
    ]
    return calls + [Member(f"other {n}", 10, f"other {n}", f"sitting {n}") for n in range(n_others)]


def test_who_is_an_agent() -> None:
    assert find_agents(centre(12, ("anne", "bob"))) == {"anne": 6, "bob": 6}
    assert find_agents(centre(40, ("anne",) * 3 + ("bob",) * 36 + ("carl",))) == {"bob": 36}  # anne: 3 of 40
    assert find_agents(centre(2, ("anne",))) == {}
    # who reads alone through many sittings joins nobody
    assert find_agents([Member(str(n), 10, "reader", f"sitting {n}") for n in range(20)]) == {}


def test_an_agent_is_said_below_half_of_the_hours() -> None:
    members = centre(12, ("anne",), n_others=60)
    plan = assign_splits(members)
    assert plan.warnings[0] == (
        "the speaker anne is in 12 of 72 sessions and joins 13 speakers to one group, 29% of the hours, that stays on "
        "one side of the split: --group-by customer divides them and leaves those out of the grouping who are in more "
        "than 10% of the sessions"
    )
    assert "the speaker anne is in 6 of 12 sessions (1 more like it)" in assign_splits(
        centre(12, ("anne", "bob")), ratios=(0.5, 0, 0.5)
    ).warnings[-1]  # fmt: skip
    assert not any("anne" in said for said in assign_splits(members, group_by=("session",)).warnings)
    assert assign_splits(members, ratios=(0, 0, 1)).warnings == ()


def test_grouping_by_the_customer() -> None:
    members = centre(30, ("anne", "bob"))
    # a customer who calls twice stays on one side
    members += [Member("again", 10, "customer 3", "call 30"), Member("again anne", 10, "anne", "call 30")]
    with pytest.raises(ParlureError, match="the corpus falls into 1 group without") as caught:
        assign_splits(members)
    assert "loosen it: --group-by customer" in str(caught.value.hint)
    plan = assign_splits(members, group_by=("customer",))
    assert (plan.n_groups, plan.warnings) == (30, ())
    sides: dict[str | None, set[str]] = defaultdict(set)
    for member in members:
        sides[member.speaker].add(plan.split_of[member.id])
        sides[member.session].add(plan.split_of[member.id])
    assert {name for name, found in sides.items() if len(found) > 1} == {"anne", "bob"}
    assert check_given_splits(members, plan.split_of, ("customer",)) == 30
    with pytest.raises(ParlureError, match="the speaker anne is in"):
        check_given_splits(members, plan.split_of)
    random.Random(0).shuffle(members)
    assert assign_splits(members, group_by=("customer",)) == plan


def call_rows(folder: Path, n: int) -> list[Fields]:
    rows: list[Fields] = []
    for i in range(n):
        write_call(folder / f"call{i}.wav")
        rows += [{"audio": f"call{i}.wav", "text": "a", "speaker": who, "channel": c}
                 for c, who in enumerate(("anne", f"client_{i:03d}"))]  # fmt: skip
    return rows


def test_prepare_lists_the_agents(tmp_path: Path) -> None:
    rows = call_rows(tmp_path, 6)
    summary = run(tmp_path, *rows, group_by=("customer",))
    corpus = Corpus.load(tmp_path / "corpus")
    assert summary.warnings[0] == (
        "left out of the grouping as in more than 10% of the sessions (and at least 3, not alone): anne (6 of 6); they "
        "may be in train and in test, so the score is that of a model that has heard these agents; nobody else and no "
        "call is on two sides"
    )
    assert (corpus.info["split"]["group_by"], corpus.info["split"]["agents"]) == (["customer"], {"anne": 6})
    assert {u.split for u in corpus.utterances if u.speaker == "anne"} == {"train", "dev", "test"}
    assert len({(u.session or u.recording, u.split) for u in corpus.utterances}) == 6
    # a split of one's own in which only the agent is on two sides is accepted
    given = [
        {**row, "split": ("train", "train", "train", "train", "dev", "test")[n // 2]} for n, row in enumerate(rows)
    ]
    run(tmp_path, *given, group_by=("customer",))
    with pytest.raises(ParlureError, match="the speaker anne is in train and dev and test"):
        run(tmp_path, *given)


def test_nobody_to_leave_out(tmp_path: Path) -> None:
    rows = call_rows(tmp_path, 3)
    for n, row in enumerate(rows):
        row["speaker"] = f"person_{n:03d}"
    summary = run(tmp_path, *rows, group_by=("customer",))
    assert summary.warnings[0] == (
        "--group-by customer found nobody who is in more than 10% of the sessions (and at least 3, not alone): the "
        "split is that of --group-by speaker,session"
    )
    assert Corpus.load(tmp_path / "corpus").info["split"]["agents"] == {}
