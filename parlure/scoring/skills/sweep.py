"""How much of what was learnt to keep: a run's model at a few points between its base and itself.

At each point the corpus and every guard are decoded. Chosen is the lowest word error rate on the corpus among the
points at which no guard has lost more than it may; where that is the base, tuning was not worth its price.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.pseudo import refuse_pseudo
from parlure.errors import ParlureError
from parlure.exclusive import alone_in, is_empty
from parlure.scoring.normalize import get_profile, headline_profile
from parlure.scoring.rates import Counts, count_words
from parlure.scoring.significance import Comparison, compare
from parlure.training.checkpoint import save_model
from parlure.training.guards import load_guards
from parlure.training.items import refuse_long
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import DecodingOptions, decode
from parlure.whisper.blending import Blend

SCALES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
TABLE = "sweep.json"
_OF_THE_RUN = ("recipe.toml", "environment.json", "corpus.json", "metrics.jsonl", "merge.json", "runs")


@dataclass(frozen=True)
class Judged:
    """A corpus at one point: its errors, and how they differ from the base's."""

    total: Counts
    comparison: Comparison

    @property
    def loss(self) -> float:
        """Points of WER above the base; 0 where there is nothing to compare."""
        return self.comparison.difference or 0.0

    def to_json(self) -> dict[str, Any]:
        """Counts, rate and comparison."""
        counts = {key: getattr(self.total, key) for key in "SDIN"}
        return {"wer": counts | {"rate": self.total.rate}, "comparison": asdict(self.comparison)}


def sweep(
    run: str,
    corpus: Path,
    out: Path,
    *,
    guards: Sequence[str] = (),
    scales: Sequence[float] = SCALES,
    split: str = "dev",
    max_loss: float = 1.0,
    batch_size: int = 16,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Judge the points, write ``sweep.json`` and, unless it is the base, the model at the chosen one as a run folder.

    Args:
        run: a run folder.
        corpus: its corpus.
        out: the folder to make.
        guards: corpora of other domains, ``NAME=CORPUS`` or a folder.
        scales: 0 is the base, 1 as tuned; both are always among them.
        split: on which it is chosen; test would then no longer be a test.
        max_loss: points of WER that a guard may lose.
        batch_size: windows decoded together.
        progress: called with (clips done, clips to do).

    Returns:
        The content of ``sweep.json``.

    Raises:
        ParlureError: a scale is outside of 0 to 1, or the run or a corpus cannot be used.
    """
    if wrong := [scale for scale in scales if not 0 <= scale <= 1]:
        raise ParlureError(f"a scale of {wrong[0]:g} lies beyond base and tuned", "--scales 0,0.25,0.5,0.75,1")
    if not is_empty(out):
        raise ParlureError(f"{out} is not empty", "give a new folder: --out NAME")
    own = tuple(u for u in Corpus.load(corpus).select(split) if u.task == "transcribe")
    refuse_pseudo(own, split, corpus)
    if not own:
        raise ParlureError(f"{corpus} has nothing to transcribe in its {split} split", "choose another --split")
    refuse_long(own)
    judged_by = {"corpus": own} | load_guards(guards, split)
    points = sorted({0.0, 1.0, *scales})
    with alone_in(out):
        blend = Blend(run)
        heard = _heard(blend, judged_by, points, batch_size, progress)
        found = {scale: _judged(judged_by, heard[scale], heard[0.0]) for scale in points}
        chosen = choose(found, max_loss)
        table = {
            "schema_version": 1, "run": run, "split": split, "max_loss": max_loss, "chosen": chosen,
            "why": explain(found, chosen, max_loss),
            "points": [
                {"scale": scale, "corpora": {name: one.to_json() for name, one in found[scale].items()}}
                for scale in points
            ],
        }  # fmt: skip
        (out / TABLE).write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if chosen:
            _write_model(blend, Path(run), chosen, out)
    return table


def _heard(
    blend: Blend,
    judged_by: Mapping[str, Sequence[Utterance]],
    points: Sequence[float],
    batch_size: int,
    progress: Callable[[int, int], None] | None,
) -> dict[float, dict[str, list[Counts]]]:
    """Errors of each utterance, by point and corpus."""
    n_done, n_total = 0, len(points) * sum(map(len, judged_by.values()))

    def tick(n_clips: int) -> None:
        nonlocal n_done
        n_done += n_clips
        if progress:
            progress(n_done, n_total)

    found: dict[float, dict[str, list[Counts]]] = {}
    for scale in points:
        blend.put(scale)
        found[scale] = {}
        for name, utterances in judged_by.items():
            normalize = get_profile(headline_profile(utterances[0].language)).normalize
            errors: dict[str, Counts] = {}
            for language in sorted({u.language for u in utterances}):
                same = [u for u in utterances if u.language == language]
                options = DecodingOptions(language, batch_size=batch_size)
                texts = decode(blend.whisper, blend.tokenizer, clips_of(same), options, tick)
                errors |= {
                    u.id: count_words(normalize(u.text), normalize(h.text)) for u, h in zip(same, texts, strict=True)
                }
            found[scale][name] = [errors[u.id] for u in utterances]
    return found


def _judged(
    judged_by: Mapping[str, Sequence[Utterance]],
    counts: Mapping[str, Sequence[Counts]],
    of_base: Mapping[str, Sequence[Counts]],
) -> dict[str, Judged]:
    return {
        name: Judged(
            Counts.total(counts[name]),
            compare(of_base[name], counts[name], [u.speaker for u in own], [u.session for u in own]),
        )
        for name, own in judged_by.items()
    }


def choose(found: Mapping[float, Mapping[str, Judged]], max_loss: float) -> float:
    """The scale with the lowest rate on the corpus among those that harm no guard; of equal ones the smallest."""
    harmless = [scale for scale in found if not _harmed(found[scale], max_loss)]
    return min(harmless, key=lambda scale: (found[scale]["corpus"].total.rate or 0.0, scale))


def _harmed(judged: Mapping[str, Judged], max_loss: float) -> list[str]:
    return [name for name, one in judged.items() if name != "corpus" and one.loss > max_loss]


def explain(found: Mapping[float, Mapping[str, Judged]], chosen: float, max_loss: float) -> str:
    """The choice in a few sentences."""
    best = min(found, key=lambda scale: (found[scale]["corpus"].total.rate or 0.0, scale))
    said = f"The lowest word error rate on the corpus is at {best:g}, {found[best]['corpus'].total.rate or 0:.1f} %. "
    if best == chosen:
        said += "No guard has lost more than it may there."
    else:
        losses = ", ".join(
            f"{name} loses {found[best][name].loss:.1f} points" for name in _harmed(found[best], max_loss)
        )
        said += f"There {losses}, and {max_loss:g} may be lost. "
        said += f"Of the others the lowest is at {chosen:g}, {found[chosen]['corpus'].total.rate or 0:.1f} %."
    return said + (" That is the base: keep it." if not chosen else "")


def table_lines(table: Mapping[str, Any]) -> Iterator[str]:
    """The points for a person: a line each, a column for each corpus; differences are from the base."""
    names = list(table["points"][0]["corpora"])
    yield f"{'scale':>7}" + "".join(f"{name:>30}" for name in names)
    for point in table["points"]:
        line = f"{'→' if point['scale'] == table['chosen'] else ' '}{point['scale']:>6g}"
        for name in names:
            one = point["corpora"][name]
            cell = f"{one['wer']['rate'] or 0:.1f} %"
            if point["scale"]:
                cell += f" {one['comparison']['difference'] or 0:+.1f}"
                if ci95 := one["comparison"]["ci95"]:
                    cell += f" [{ci95[0]:+.1f}, {ci95[1]:+.1f}]"
            line += f"{cell:>30}"
        yield line


def _write_model(blend: Blend, run: Path, scale: float, out: Path) -> None:
    for name in _OF_THE_RUN:
        if (run / name).is_dir():
            shutil.copytree(run / name, out / name)
        elif (run / name).is_file():
            shutil.copyfile(run / name, out / name)
    if not blend.save_adapter(scale, out / "adapter"):
        blend.put(scale)
        save_model(blend.whisper, blend.tokenizer, out / "model")
