"""A run and its corpus → which transcripts are most worth a person's ears: what ``parlure correct`` begins with.

What the models hear, and what the transcripts cost them, is kept in ``correct.jsonl``, a line for each and model. It
holds for the same weights, span, file and text: an interrupted call goes on, and a corrected text is judged anew.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from parlure.corpus.correcting.ranking import Hearing, Suspect, ranked
from parlure.corpus.journal import adding_to, kept_rows
from parlure.corpus.manifest import SPLITS, Corpus, Utterance
from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, AudioError, read_audio
from parlure.speech.features import WINDOW_S
from parlure.transcribing.decode import Clip, DecodingOptions, batches_of, decode
from parlure.transcribing.likelihood import likelihoods
from parlure.whisper.load import LoadedModel, base_of, load, tuned_for_short
from parlure.whisper.prompt import encode_labels

JOURNAL = "correct.jsonl"
Split = Literal["train", "dev", "test", "all"]


@dataclass(frozen=True)
class Worklist:
    """What there is to hear.

    Attributes:
        corpus: the corpus.
        suspects: the most suspicious first.
        not_heard: (id, sentence) of utterances that no model could be asked about.
    """

    corpus: Corpus
    suspects: tuple[Suspect, ...]
    not_heard: tuple[tuple[str, str], ...]

    def lines(self) -> list[str]:
        """What a person reads of it."""
        said = [f"{len(self.suspects)} utterances heard"]
        for name, sentence in self.not_heard[:5]:
            said.append(f"not heard: {name}: {sentence}")
        if len(self.not_heard) > 5:
            said.append(f"not heard: {len(self.not_heard) - 5} more")
        return said


def correct(
    run: str | Path,
    corpus: str | Path | None = None,
    *,
    split: Split = "all",
    base: bool = False,
    out: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Worklist:
    """Rank transcripts by how much speaks against them; nothing in the corpus is changed.

    Args:
        run: a run folder, or another MODEL.
        corpus: a corpus folder; None is the one that the run was tuned on.
        split: which utterances.
        base: ask the base of a run too: what it hears is shown, and does not change the order.
        out: folder of ``correct.jsonl``; None is ``CORPUS/correct``.
        progress: called with (utterances done, utterances), over all models.

    Raises:
        ParlureError: the corpus or a model cannot be used, or the split is empty.
    """
    folder = corpus_of(run) if corpus is None else Path(corpus)
    loaded = Corpus.load(folder)
    chosen = loaded.utterances if split == "all" else loaded.select(split)
    if not chosen:
        raise ParlureError(f"{folder} has no {split} utterances to hear", f"splits are {', '.join(SPLITS)} and all")
    if base and not (Path(run) / "recipe.toml").is_file():
        raise ParlureError(f"{run} is not a run folder, and has no base to ask", "leave out --base")
    names = [str(run), *([base_of(str(run))] if base else [])]
    journal = (folder / "correct" if out is None else Path(out)) / JOURNAL
    not_heard: dict[str, str] = {}
    heard = []
    for place, name in enumerate(names):  # a model is out of memory before the next comes in

        def tell(done: int, total: int, before: int = place) -> None:
            if progress:
                progress(before * total + done, len(names) * total)

        listener = _Listener(load(name), "short" if tuned_for_short(name) else "full", not_heard)
        heard.append(listener.hear(chosen, journal, tell))
        del listener
    suspects = ranked(chosen, *heard)
    return Worklist(loaded, tuple(suspects), tuple(sorted(not_heard.items())))


def corpus_of(run: str | Path) -> Path:
    """The corpus that a run was tuned on.

    Raises:
        ParlureError: it is no run folder, or the corpus is not there.
    """
    recipe = Path(run) / "recipe.toml"
    if not recipe.is_file():
        raise ParlureError(
            f"{run} is not a run folder and does not say what it was tuned on", "name it: --corpus CORPUS"
        )
    named = Path(tomllib.loads(recipe.read_text(encoding="utf-8"))["data"]["corpus"])
    if not named.is_dir():
        raise ParlureError(f"the corpus {named} that {run} was tuned on is not there", "name it: --corpus CORPUS")
    return named


class _Listener:
    """One model, and what of the corpus it cannot be asked."""

    def __init__(self, loaded: LoadedModel, window: Literal["full", "short"], not_heard: dict[str, str]) -> None:
        self._loaded, self._window, self._not_heard = loaded, window, not_heard

    def hear(
        self, utterances: Sequence[Utterance], journal: Path, progress: Callable[[int, int], None]
    ) -> dict[str, Hearing]:
        """What the model makes of each utterance that it can be asked about, by id."""
        keys = {one.id: self._key(one) for one in utterances}
        kept = {row["key"]: row for row in kept_rows(journal)}
        found = {name: _hearing(kept[key]) for name, key in keys.items() if key in kept}
        rest = [one for one in utterances if one.id not in found]
        progress(len(found), len(utterances))
        n_done = len(found)
        with adding_to(journal) as add:
            for part in self._batches(rest):
                for one, hearing in self._batch(part):
                    add({"key": keys[one.id], "id": one.id, "model": self._loaded.name, **hearing.to_json()})
                    found[one.id] = hearing
                n_done += len(part)
                progress(n_done, len(utterances))
        return found

    def _batches(self, utterances: Sequence[Utterance]) -> Iterator[list[Utterance]]:
        """Utterances of one language and task, whose windows are alike; those that fit into none are left out."""
        fitting = []
        for one in utterances:
            if round(one.duration_s * SAMPLE_RATE) > WINDOW_S * SAMPLE_RATE:
                self._not_heard[one.id] = f"it is {one.duration_s:.2f} s long, Whisper hears {WINDOW_S:g} s"
            else:
                fitting.append(one)
        for language, task in sorted({(one.language, one.task) for one in fitting}):
            group = [one for one in fitting if (one.language, one.task) == (language, task)]
            clips = [Clip(one.id, one.duration_s, _unread) for one in group]
            for _, places in batches_of(clips, self._options(language, task)):
                yield [group[place] for place in places]

    def _batch(self, utterances: Sequence[Utterance]) -> Iterator[tuple[Utterance, Hearing]]:
        """Utterances that go through the model together."""
        model, tokenizer = self._loaded.model, self._loaded.tokenizer
        ready = []
        for one in utterances:
            try:
                labels = encode_labels(tokenizer, one.text, utterance_id=one.id, language=one.language, task=one.task)
                ready.append((one, labels, read_audio(one.recording, one.start, one.end, one.channel)))
            except AudioError as error:
                self._not_heard[one.id] = error.message
            except ParlureError as error:  # a label that no model takes, or a language that this one does not know
                self._not_heard[one.id] = error.message
        if not ready:
            return
        options = self._options(utterances[0].language, utterances[0].task)
        clips = [Clip(one.id, one.duration_s, lambda sound=sound: sound) for one, _, sound in ready]  # type: ignore[misc]
        window_s = next(batches_of(clips, options))[0]
        texts = decode(model, tokenizer, clips, options)
        costs = likelihoods(model, tokenizer, [sound for _, _, sound in ready], [one for _, one, _ in ready], window_s)
        for (one, _, _), hypothesis, cost in zip(ready, texts, costs, strict=True):
            mean = cost.nats / cost.n_tokens
            heard = Hearing(hypothesis.text, hypothesis.avg_logprob, mean, cost.worst, cost.worst_probability)
            yield one, _hearing(heard.to_json())  # as the next call will read it

    def _options(self, language: str, task: str) -> DecodingOptions:
        return DecodingOptions(language=language, task=task, window=self._window, loop_guard=True)

    def _key(self, one: Utterance) -> str:
        try:
            found = os.stat(one.recording)  # noqa: PTH116 - a name may be too long for a path
            file = f"{found.st_size} {found.st_mtime_ns}"
        except OSError:
            file = ""
        place = f"{one.recording} {file} {one.start:.6f} {one.end:.6f} {one.channel} {one.language} {one.task}"
        asked = f"{self._loaded.sha256} {self._window} {place} {one.text}"
        return hashlib.sha256(asked.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _hearing(row: dict[str, Any]) -> Hearing:
    return Hearing(row["text"], row["avg_logprob"], row["nats"], row["worst"], row["worst_probability"])


def _unread() -> Any:
    raise AssertionError("a clip that only says how long it is")
