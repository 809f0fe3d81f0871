"""Recipe → word error rate by hours of training data: what the command ``parlure curve`` does.

A model is trained on a quarter of the hours, on half of them and on all, each part within the next, and base and all
are decoded alike. Epochs are those of the recipe for every share, so each is used as if it were all there is; warm-up,
evaluations and a limit of steps shrink with the share, so that the schedule keeps its shape. Hours and steps therefore
grow together: where the recipe trains too short, more epochs would do a part of what more hours do.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import Corpus, Utterance, begin_corpus, finish_corpus, write_lines
from parlure.corpus.tallies import tallies
from parlure.errors import ParlureError
from parlure.exclusive import alone_in
from parlure.recipe import resolved
from parlure.scoring.learning_curve import extrapolate, plain_words
from parlure.scoring.normalize import get_profile, headline_profile, profile_hash
from parlure.scoring.page.curve import curve_page
from parlure.scoring.rates import Counts, count_words
from parlure.scoring.significance import block_numbers, compare, rate_interval
from parlure.scoring.skills.evaluation import Advance, Decoded, write_hypotheses
from parlure.scoring.skills.exam import decodable
from parlure.scoring.skills.listening import Ear, questions_of
from parlure.scoring.skills.provenance import data_of
from parlure.scoring.utterances import counts_to_json
from parlure.sections import Recipe
from parlure.training import checkpoint
from parlure.training.items import narrowed
from parlure.training.loop import OnEvent, train
from parlure.training.memory import as_begun
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.journal import Journal

SHARES = (0.25, 0.5, 1.0)
TABLE, PAGE = "curve.json", "curve.html"
_OFF = 0.25  # a share of the hours may be off by a quarter of itself, else the units are too large for it


@dataclass(frozen=True)
class Part:
    """A share of the training data.

    Attributes:
        share: that was asked for.
        utterances: of train; those of a smaller part are among them.
        n_units: whole units that it is made of.
        run: the run folder.
    """

    share: float
    utterances: tuple[Utterance, ...]
    n_units: int
    run: Path

    @property
    def hours(self) -> float:
        """Of speech."""
        return sum(u.duration_s for u in self.utterances) / 3600


def curve(
    recipe: Recipe,
    out: str | Path,
    *,
    shares: Sequence[float] = SHARES,
    split: str = "test",
    on_event: OnEvent | None = None,
    progress: Advance = None,
) -> dict[str, Any]:
    """Train on shares of the corpus and decode; interrupted or killed, the next call goes on.

    Args:
        recipe: everything but how much is trained on.
        out: the folder to make: ``curve.json``, ``curve.html``, ``run-0.25/`` and its like, ``corpora/``.
        shares: of the hours of train, above 0 to 1.
        split: which is decoded; dev has chosen the checkpoints, which flatters them there.
        on_event: takes the rows of :func:`parlure.training.loop.train`, and notices that say which share it is.
        progress: called with (clips done, clips to do), over all models.

    Returns:
        The content of ``curve.json``.

    Raises:
        ParlureError: the shares, the recipe, the corpus or the folder cannot be used.
        KeyboardInterrupt: asked to stop; what is trained and decoded is kept.
    """
    recipe, out = resolved(recipe), Path(out)
    corpus = narrowed(Corpus.load(recipe.data.corpus), recipe.data.language, recipe.data.task)
    utterances = tuple(u for u in decodable(corpus, split) if u.task == "transcribe")
    if not utterances:
        raise ParlureError(f"{corpus.folder} has nothing to transcribe in its {split} split", "choose another --split")
    parts, unit = train_shares(recipe, out, shares=shares, on_event=on_event)
    with alone_in(out):
        heard, journals = _heard(recipe, parts, utterances, out, progress)
        table = _table(recipe, parts, unit, utterances, heard)
        table |= {"data": data_of(corpus.folder, split, utterances)}
        (out / PAGE).write_text(curve_page(table), encoding="utf-8")
        numbers = json.dumps(table, ensure_ascii=False, indent=2, allow_nan=False)
        (out / TABLE).write_text(numbers + "\n", encoding="utf-8")
        for name, one in heard.items():
            write_hypotheses(out / "hypotheses" / name, one)
        for journal in journals:
            journal.remove()
    return table


def train_shares(
    recipe: Recipe, out: str | Path, *, shares: Sequence[float] = SHARES, on_event: OnEvent | None = None
) -> tuple[list[Part], str]:
    """Train on each share, the smallest first; what is finished is not trained again.

    Returns:
        The parts, and what they are made of: ``speakers and sessions``, ``sessions`` or ``speakers``, ``recordings``.

    Raises:
        ParlureError: see :func:`curve`.
    """
    recipe, out = resolved(recipe), Path(out)
    corpus = narrowed(Corpus.load(recipe.data.corpus), recipe.data.language, recipe.data.task)
    wanted = sorted(set(shares))
    if len(wanted) < 2 or not all(0 < share <= 1 for share in wanted):
        raise ParlureError(
            f"shares of {', '.join(f'{share:g}' for share in shares)} make no curve",
            "two or more different ones, above 0 to 1: --shares 0.25,0.5,1",
        )
    parts, unit = divide(corpus, wanted, recipe.training.seed, out)
    with alone_in(out):
        for part in parts:
            own = _of_share(recipe, corpus, part, out)
            if on_event:
                on_event({"kind": "notice", "text": f"{part.share:g} of the hours: {part.hours:.2f} h, {part.run}"})
            if not _is_finished(part.run, own):
                train(own, part.run, resume=True, on_event=on_event)
    return parts, unit


def divide(corpus: Corpus, shares: Sequence[float], seed: int, out: Path) -> tuple[list[Part], str]:
    """Parts of train, made of whole units in an order that the seed decides, each within the next.

    Units are what shares neither a speaker nor a session with another; where these are too large for the shares, as
    when a few agents take all calls, they are sessions, then recordings.

    Raises:
        ParlureError: even recordings are too large for the shares, or train is empty.
    """
    own = corpus.select("train")
    if not own:
        raise ParlureError(f"{corpus.folder} has no training utterances", "give train a share: --ratios 0.8,0.1,0.1")
    blocks = block_numbers([u.speaker for u in own], [u.session or f"recording {u.recording}" for u in own])
    units = {
        "speakers and sessions": [str(block) for block in blocks],
        "sessions": [u.session or u.speaker or u.recording for u in own],
        "recordings": [u.recording for u in own],
    }
    for unit, of_utterance in units.items():
        taken = _nested(of_utterance, [u.duration_s for u in own], shares, seed)
        if taken is not None:
            pairs = list(zip(of_utterance, own, strict=True))
            parts = [
                Part(share, tuple(u for key, u in pairs if key in keep), len(keep), out / f"run-{share:g}")
                for share, keep in zip(shares, taken, strict=True)
            ]
            return parts, unit
    raise ParlureError(
        f"{len(set(units['recordings']))} recordings of {corpus.folder} cannot be divided into such shares of hours",
        "larger shares, or more recordings: --shares 0.5,1",
    )


def _nested(
    of_utterance: Sequence[str], durations_s: Sequence[float], shares: Sequence[float], seed: int
) -> list[set[str]] | None:
    """The units of each share, those of a smaller one among them; None where units are too large for a share."""
    seconds: dict[str, float] = {}
    for key, duration_s in zip(of_utterance, durations_s, strict=True):
        seconds[key] = seconds.get(key, 0.0) + duration_s
    order = sorted(seconds)
    random.Random(f"{seed} curve").shuffle(order)
    sums = [0.0, *accumulate(seconds[key] for key in order)]
    wanted = [share * sums[-1] for share in shares]
    n_of = [min(range(1, len(sums)), key=lambda n, of=of: abs(sums[n] - of)) for of in wanted]  # type: ignore[misc]
    is_near = all(abs(sums[n] - of) <= _OFF * of for n, of in zip(n_of, wanted, strict=True))
    return [set(order[:n]) for n in n_of] if is_near and len(set(n_of)) == len(n_of) else None


def _of_share(recipe: Recipe, corpus: Corpus, part: Part, out: Path) -> Recipe:
    """The recipe for a part, whose corpus is written: its own train, and dev and test whole."""
    folder = out / "corpora" / f"{part.share:g}"
    ids = {u.id for u in part.utterances}
    kept = tuple(u for u in corpus.utterances if u.split != "train" or u.id in ids)
    begin_corpus(folder)
    write_lines(folder, kept, [])
    info = {key: value for key, value in corpus.info.items() if key != "schema_version"}
    finish_corpus(folder, info | {"n_utterances": len(kept)} | tallies(kept))
    tree, training = recipe.model_dump(), recipe.training
    share = part.hours / (sum(u.duration_s for u in corpus.select("train")) / 3600)
    tree["data"]["corpus"] = str(folder.resolve())
    tree["training"]["max_steps"] = max(1, round(training.max_steps * share)) if training.max_steps else 0
    tree["training"]["warmup_steps"] = round(training.warmup_steps * share)
    tree["evaluation"]["every_steps"] = max(1, round(recipe.evaluation.every_steps * share))
    return Recipe.model_validate(tree)


def _is_finished(run: Path, recipe: Recipe) -> bool:
    """Whether a run is done; refuses one that was begun with another recipe or corpus, as training does."""
    if (last := checkpoint.last(run)) is None:
        return False
    done = bool(json.loads((last / "progress.json").read_text(encoding="utf-8"))["finished"])
    if done and (begun := checkpoint.begun_with(run)) is not None:
        checkpoint.check_run(run, as_begun(recipe, begun), Corpus.load(recipe.data.corpus), resume=True)
    return done


def _heard(
    recipe: Recipe, parts: Sequence[Part], utterances: Sequence[Utterance], out: Path, progress: Advance
) -> tuple[dict[str, Decoded], list[Journal]]:
    names = {"base": recipe.model.base} | {part.run.name: str(part.run) for part in parts}
    n_done, n_total = 0, len(utterances) * len(names)
    how = recipe.decoding
    options = DecodingOptions(batch_size=how.batch_size, max_new_tokens=how.max_new_tokens, beam_size=how.beam_size)

    def tick(n_clips: int) -> None:
        nonlocal n_done
        n_done += n_clips
        if progress and n_clips:
            progress(n_done, n_total)

    heard: dict[str, Decoded] = {}
    journals: list[Journal] = []
    for name, model in names.items():
        ear = Ear(open_engine(model), out, name, options, tick)
        found = ear.hear("utterances", questions_of(utterances))
        heard[name] = Decoded(tuple(found), ear.description("full", sum(u.duration_s for u in utterances)))
        journals += ear.journals
    return heard, journals


def _table(
    recipe: Recipe,
    parts: Sequence[Part],
    unit: str,
    utterances: Sequence[Utterance],
    heard: Mapping[str, Decoded],
) -> dict[str, Any]:
    profile = recipe.evaluation.profile or headline_profile(
        Counter(u.language for u in utterances).most_common(1)[0][0]
    )
    normalize = get_profile(profile).normalize
    counts = {
        name: [
            count_words(normalize(u.text), normalize(h.text)) for u, h in zip(utterances, one.hypotheses, strict=True)
        ]
        for name, one in heard.items()
    }
    speakers, sessions = [u.speaker for u in utterances], [u.session for u in utterances]
    blocks = block_numbers(speakers, sessions)
    rows, before = [], None
    places: list[tuple[str, float, float, int]] = [("base", 0.0, 0.0, 0)]
    places += [(part.run.name, part.share, part.hours, part.n_units) for part in parts]
    for name, share, hours, n_units in places:
        total = Counts.total(counts[name])
        row: dict[str, Any] = {"name": name, "share": share, "hours": hours, "n_units": n_units}
        row["wer"] = counts_to_json(total) | {"rate": total.rate, "ci95": rate_interval(counts[name], blocks)}
        row["comparison"] = (
            None if before is None else asdict(compare(counts[before], counts[name], speakers, sessions))
        )
        rows.append(row)
        before = name
    found = extrapolate([part.hours for part in parts], [counts[part.run.name] for part in parts], blocks)
    return {
        "schema_version": 1,
        "model": recipe.model.base,
        "profile": profile,
        "normalizer": {"version": get_profile(profile).version, "hash": profile_hash(profile)},
        "unit": unit,
        "points": rows,
        "extrapolation": found,
        "sentence": plain_words(parts[-1].hours, rows[-1]["wer"]["rate"] or 0.0, found),
        "warnings": _cautions(parts),
    }


def _cautions(parts: Sequence[Part]) -> list[str]:
    """What a reader must know before believing the curve."""
    found = []
    still = [part.run.name for part in parts if _was_improving(part.run)]
    if still:
        found.append(
            f"Still better at the last evaluation: {', '.join(still)}. More epochs may do a part of what hours would."
        )
    kept = [part.run.name for part in parts if _best_step(part.run) == 0]
    if kept:
        found.append(f"No checkpoint was better than the base on dev: {', '.join(kept)} is the base.")
    return found


def _evaluations(run: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["kind"] == "evaluation"]


def _was_improving(run: Path) -> bool:
    last = _evaluations(run)[-1]
    return bool(last["step"] and last["best_step"] == last["step"])


def _best_step(run: Path) -> int:
    return int(_evaluations(run)[-1]["best_step"])


def markdown(table: Mapping[str, Any]) -> str:
    """The curve's points for a terminal."""
    from parlure.scoring.baseline import difference_text
    from parlure.scoring.page.marks import interval_text, points

    lines = ["| hours | WER, % [95 %] | S | D | I | to the one before [95 %] | verdict |", "| --- " * 7 + "|"]
    for row in table["points"]:
        wer, other = row["wer"], row["comparison"]
        cells = [f"{row['hours']:.2f}", f"{points(wer['rate'])} {interval_text(wer['ci95'])}".rstrip()]
        cells += [
            *(str(wer[key]) for key in "SDI"),
            *([difference_text(other), other["verdict"]] if other else ["", ""]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    for factor, one in (table["extrapolation"].get("predictions") or {}).items():
        told = f"{points(one['rate'])} {interval_text(one['ci95'])}"
        lines.append(f"| {one['hours']:.2f} | {told} | | | | {factor} times the hours, extrapolated | |")
    return "\n".join([*lines, ""])
