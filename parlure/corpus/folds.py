"""Few speakers → several splits of the same utterances, in which every group is in test once (cross-validation)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from parlure.corpus.agents import Member, cost_of_agents, find_agents
from parlure.corpus.manifest import INFO, MANIFEST, REJECTED, UNFINISHED
from parlure.corpus.split import DEFAULT_RATIOS, SplitPlan, assign_splits, groups_of, order_of_placing, resolve_customer
from parlure.errors import ParlureError

MIN_FOLDS = 2
_EVEN_TOLERANCE = 0.05  # of the hours, how far a fold may be from its share before it is said


def check_folds(n_folds: int) -> None:
    """See that a number of folds makes sense.

    Raises:
        ParlureError: it does not.
    """
    if n_folds < MIN_FOLDS:
        raise ParlureError(
            f"--folds cannot be {n_folds}", "--folds 5: each fifth of the speakers is the test split once"
        )


def assign_folds(
    members: Sequence[Member], n_folds: int, *, ratios: Sequence[float] | None, group_by: Collection[str], seed: int
) -> list[SplitPlan]:
    """One split for each fold: whole groups, the longest first, each to the fold with least hours, are test in turn.

    Dev is taken out of the rest, whole groups at a time, in the proportion that ``ratios`` give to train and dev.

    Args:
        members, group_by, seed: see :func:`parlure.corpus.split.assign_splits`.
        n_folds: at least 2.
        ratios: of train, dev and test, of which the last does not count: a test split is one fold.

    Raises:
        ParlureError: fewer groups than folds, or what is left has too few to fill train and dev.
    """
    check_folds(n_folds)
    members, group_by = resolve_customer(members, group_by)
    groups = groups_of(members, group_by)
    if len(groups) < n_folds:
        raise ParlureError(
            f"{n_folds} folds need as many groups without a speaker or session in common, and there "
            f"{'is' if len(groups) == 1 else 'are'} {len(groups)}",
            f"--folds {len(groups)}" if len(groups) >= MIN_FOLDS else "add recordings of other people",
        )
    hours = [sum(member.duration_s for member in group) / 3600 for group in groups]
    folds: list[list[int]] = [[] for _ in range(n_folds)]
    for index in order_of_placing(groups, hours, 0.0, seed):
        # at first every fold is empty, and 0 h of sound do not fill one
        min(folds, key=lambda fold: (bool(fold), sum(hours[i] for i in fold))).append(index)
    train_share, dev_share, _ = ratios or DEFAULT_RATIOS
    dev = dev_share / (train_share + dev_share) if train_share else 0.0
    said = _warnings(groups, [sum(hours[i] for i in fold) / sum(hours) for fold in folds], group_by, members)
    plans = []
    for fold in folds:
        split_of = {member.id: "test" for i in fold for member in groups[i]}
        rest = [member for member in members if member.id not in split_of]
        split_of |= assign_splits(rest, ratios=(1 - dev, dev, 0.0), group_by=group_by, seed=seed).split_of
        plans.append(SplitPlan(split_of, len(groups), said))
    return plans


def fold_folders(out: Path, n_folds: int | None) -> list[Path]:
    """The corpora of the folds: ``OUT/fold-1`` and so on."""
    return [out / f"fold-{number}" for number in range(1, (n_folds or 0) + 1)]


def forget_folds(out: Path) -> None:
    """Take away the folds of an earlier call: their corpora, and their folders if nothing else is in them."""
    for folder in out.glob("fold-*"):
        if (folder / INFO).is_file() or (folder / UNFINISHED).is_file():
            for name in (INFO, UNFINISHED, MANIFEST, REJECTED):
                (folder / name).unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()


def _warnings(
    groups: Sequence[Sequence[Member]], shares: Sequence[float], group_by: Collection[str], members: Sequence[Member]
) -> tuple[str, ...]:
    warnings = []
    if "speaker" in group_by and (cost := cost_of_agents(groups, find_agents(members))):
        warnings.append(cost)
    if max(abs(share - 1 / len(shares)) for share in shares) > _EVEN_TOLERANCE:
        listed = ", ".join(f"{share:.0%}" for share in shares)
        warnings.append(f"whole groups do not make folds of one length: {listed} of the hours")
    return tuple(warnings)
