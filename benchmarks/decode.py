"""How many utterances a second are decoded greedily: parlure and CTranslate2 beside Hugging Face's ``generate``.

    python benchmarks/decode.py --model tiny                      # five rounds of each way, in turn
    python benchmarks/decode.py --model base --mean 5.3 --json
    python benchmarks/decode.py --model medium --device cuda --whole torch_30s,torch_short

Whispers have random weights, utterances are noise as long as telephone utterances are (``workload.py``).

    stock        transformers' feature extractor and ``generate``, adapters merged, 30 s, batches of 16 unsorted
    reference    as the recipe that people use evaluates: adapters not merged, log-mels read from an Arrow table, no
                 language given, so that it is detected in every batch, garbage collected after it
    hf_short     ``generate``'s inner loop on the encoder's output for short windows
    torch_30s, torch_short          parlure's own engine
    ct2_30s, ct2_short              parlure's engine CTranslate2, float32 (float16 on a GPU)
    ct2_int8_30s, ct2_int8_short    the same in int8

All ways make the same number of tokens of an utterance: five a second of its short window less 0.75 s, which is about
five a second of its audio. The end token is never the most probable (``shapes.py``); each row ends at its own number.
Batches are planned over 2,548 utterances by window, and some of them that are like the whole plan are decoded: 16 rows
of 30 s, twice as many in short windows, as parlure decodes. stock and reference get their utterances shuffled, 16 at
a time, and wait for a batch's longest; of the whole plan they would wait longer.
In fp32 the tokens of torch_30s must be those of stock, the tokens of torch_short those of hf_short.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import numpy as np
import reference
import torch
from flops import decoding_flops
from results import as_json, keep, memory, product_flops, section, table
from sampling import representative
from shapes import END, SHAPES, TALKATIVE, Shape, random_whisper
from transformers import StoppingCriteria, StoppingCriteriaList, WhisperForConditionalGeneration
from transformers.generation import GenerationMixin
from turns import Outcome, Turn, Way, in_turn
from workload import SPREADS, Speech, draw, noise

from parlure.shipping.export import export
from parlure.speech.audio import SAMPLE_RATE
from parlure.speech.features import WINDOW_S, log_mel, short_window_s
from parlure.transcribing.decode import Clip, DecodingOptions, decode, window_waves
from parlure.transcribing.engines.with_ctranslate2 import CTranslate2Engine
from parlure.transcribing.hypothesis import Hypothesis
from parlure.whisper.conversion import Quantization
from parlure.whisper.load import NANO, load_tokenizer
from parlure.whisper.prompt import prompt_ids

N_JOB, BATCH = 2_548, 16  # rows of a batch of 30 s windows
TOKENS_PER_S = 5.0

Found = dict[str, tuple[int, ...]]  # utterance → tokens


@dataclass(frozen=True)
class Group:
    """Utterances of one short window, decoded together."""

    speeches: tuple[Speech, ...]
    window_s: float

    @property
    def n_new(self) -> int:
        """Tokens of each."""
        return n_new(self.speeches[0])


def n_new(speech: Speech) -> int:
    """How many tokens an utterance gets."""
    return max(1, round(TOKENS_PER_S * (short_window_s(speech.duration_s) - 0.75)))


def plan(speeches: Sequence[Speech]) -> list[Group]:
    """Batches by window."""
    groups = []
    by_length = sorted(speeches, key=lambda speech: speech.duration_s)
    for window_s, members in groupby(by_length, lambda speech: short_window_s(speech.duration_s)):
        same = list(members)
        groups += [Group(tuple(same[i : i + 2 * BATCH]), window_s) for i in range(0, len(same), 2 * BATCH)]
    return groups


def _measures(groups: Sequence[Group]) -> tuple[float, float]:
    n = sum(len(group.speeches) for group in groups)
    encoded_s = sum(len(group.speeches) * group.window_s for group in groups)
    return encoded_s / n, n / len(groups)


def samples(speech: Speech) -> Any:
    """As an audio file gives them."""
    return (noise(speech) / 32_768).astype(np.float32)


def model_dtype(device: str) -> torch.dtype:
    """fp16 on a GPU, fp32 on a CPU."""
    return torch.float16 if device == "cuda" else torch.float32


def model_of(shape: Shape, device: str) -> WhisperForConditionalGeneration:
    """In evaluation mode."""
    return random_whisper(shape, gain=TALKATIVE).eval().to(device, model_dtype(device))


def _rounds(turn: Turn, groups: Sequence[Group], work: Callable[[Group], Found]) -> None:
    """One group to warm up, then all of them in each round."""
    work(groups[0])
    audio_s = sum(speech.duration_s for group in groups for speech in group.speeches)
    while turn.next():
        found: Found = {}
        for group in groups:
            found |= work(group)
        turn.worked(len(found), audio_s, tokens=found)


# ------------------------------------------------------------------------------------------ Hugging Face


class RowLimits(StoppingCriteria):  # type: ignore[misc]
    """Each row ends at its own number of tokens."""

    def __init__(self, limits: Sequence[int], n_prompt: int, device: str) -> None:
        self.limits, self.n_prompt = torch.tensor(limits, device=device), n_prompt

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        """Which rows are done."""
        return input_ids.shape[1] - self.n_prompt >= self.limits


def _shuffled(groups: Sequence[Group]) -> list[Group]:
    """The same utterances in batches of 16 in no order; their windows are not looked at."""
    speeches = list(chain.from_iterable(group.speeches for group in groups))
    random.Random(1).shuffle(speeches)
    return [Group(tuple(speeches[i : i + BATCH]), WINDOW_S) for i in range(0, len(speeches), BATCH)]


def _generate(model: Any, features: torch.Tensor, group: Group, **more: Any) -> Found:
    limits = [n_new(speech) for speech in group.speeches]
    more["stopping_criteria"] = StoppingCriteriaList([RowLimits(limits, 4, str(features.device))])
    ids = model.generate(input_features=features, max_new_tokens=max(limits), do_sample=False, num_beams=1, **more)
    return _texts(group, ids)


def _texts(group: Group, ids: torch.Tensor) -> Found:
    return {
        speech.id: tuple(token for token in row if token < END)
        for speech, row in zip(group.speeches, ids.tolist(), strict=True)
    }


@torch.inference_mode()
def stock(turn: Turn, *, shape: Shape, groups: Sequence[Group]) -> None:
    """The feature extractor and ``generate``, adapters merged, 30 s."""
    model, extract = model_of(shape, turn.device), reference.extractor(shape)
    theirs = _shuffled(groups)
    sounds = {speech.id: samples(speech) for group in theirs for speech in group.speeches}

    def work(group: Group) -> Found:
        own = [sounds[speech.id] for speech in group.speeches]
        features = extract(own, sampling_rate=SAMPLE_RATE, return_tensors="pt", device=turn.device).input_features
        return _generate(model, features.to(turn.device, model.dtype), group, language="fr", task="transcribe")

    _rounds(turn, theirs, work)


@torch.inference_mode()
def recipe(turn: Turn, *, shape: Shape, groups: Sequence[Group]) -> None:
    """As the tutorial evaluates."""
    tokenizer, theirs = load_tokenizer(str(NANO)), _shuffled(groups)
    speeches = list(chain.from_iterable(group.speeches for group in theirs))
    model = reference.with_adapters(shape, gain=TALKATIVE).eval().to(turn.device, model_dtype(turn.device))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mels.arrow"
        reference.store_mels(speeches, shape, tokenizer, path)
        rows, collate = reference.Mels(path, len(speeches)), reference.Collator(reference.extractor(shape), tokenizer)
        places = {speech.id: place for place, speech in enumerate(speeches)}

        def work(group: Group) -> Found:
            batch = collate([rows[places[speech.id]] for speech in group.speeches]).to(turn.device)
            features = batch["input_features"].to(model_dtype(turn.device))
            found = _generate(model, features, group, decoder_input_ids=batch["labels"][:, :4])
            gc.collect()
            if turn.device == "cuda":
                torch.cuda.empty_cache()
            return found

        _rounds(turn, theirs, work)


@torch.inference_mode()
def hf_short(turn: Turn, *, shape: Shape, groups: Sequence[Group]) -> None:
    """``generate`` without Whisper's own wrapping, on encoder outputs of short windows."""
    model, tokenizer = model_of(shape, turn.device), load_tokenizer(str(NANO))
    prompt = torch.tensor(prompt_ids(tokenizer, "fr", "transcribe"), device=turn.device)

    def work(group: Group) -> Found:
        encoded = model.model.encoder(_features(group, group.window_s, shape, model))
        ids = GenerationMixin.generate(
            model, encoder_outputs=encoded, decoder_input_ids=prompt.expand(len(group.speeches), -1),
            max_new_tokens=group.n_new, do_sample=False,
        )  # fmt: skip
        return _texts(group, ids)

    _rounds(turn, groups, work)


def _features(group: Group, window_s: float, shape: Shape, model: Any) -> torch.Tensor:
    waves = window_waves([samples(speech) for speech in group.speeches], window_s).to(model.device)
    return log_mel(waves, shape.n_mels).to(model.dtype)


# ------------------------------------------------------------------------------------------ parlure, CTranslate2


Decoder = Callable[[Sequence[Clip], DecodingOptions], Sequence[Hypothesis]]


def _through(turn: Turn, groups: Sequence[Group], decoder: Decoder, *, short: bool) -> None:
    """An engine of parlure's, asked as its commands ask it."""
    sounds = {speech.id: samples(speech) for group in groups for speech in group.speeches}

    def work(group: Group) -> Found:
        clips = [Clip(s.id, s.duration_s, partial(sounds.__getitem__, s.id)) for s in group.speeches]
        options = DecodingOptions(
            "fr", window="short" if short else "full", batch_size=BATCH, max_new_tokens=group.n_new
        )
        return {one.id: one.tokens for one in decoder(clips, options)}

    _rounds(turn, groups, work)


def parlures(turn: Turn, *, shape: Shape, groups: Sequence[Group], short: bool) -> None:
    """parlure's engine torch."""
    model, tokenizer = model_of(shape, turn.device), load_tokenizer(str(NANO))
    _through(turn, groups, partial(decode, model, tokenizer), short=short)


def ctranslate(
    turn: Turn, *, shape: Shape, groups: Sequence[Group], short: bool, quantize: Quantization | None
) -> None:
    """parlure's engine CTranslate2, on a conversion of the same random Whisper."""
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "hf", Path(name) / "ct2"
        random_whisper(shape, gain=TALKATIVE).save_pretrained(source)
        load_tokenizer(str(NANO)).save_pretrained(source)
        reference.extractor(shape).save_pretrained(source)
        export(str(source), target)
        _through(turn, groups, CTranslate2Engine(str(target), quantize).decode, short=short)


def ways_of(shape: Shape, groups: Sequence[Group], device: str) -> dict[str, Way]:
    """Every way, by name."""
    same = {"shape": shape, "groups": groups}
    ways: dict[str, Way] = {
        "stock": partial(stock, **same),
        "reference": partial(recipe, **same),
        "hf_short": partial(hf_short, **same),
        "torch_30s": partial(parlures, **same, short=False),
        "torch_short": partial(parlures, **same, short=True),
    }
    plain, int8 = ("float16", "int8_float16") if device == "cuda" else ("float32", "int8")
    for name, numbers in (("ct2", plain), ("ct2_int8", int8)):
        for window in ("30s", "short"):
            ways[f"{name}_{window}"] = partial(ctranslate, **same, short=window == "short", quantize=numbers)
    return ways


# ------------------------------------------------------------------------------------------ judging, printing


def check(outcomes: dict[str, Outcome], exact: bool) -> list[str]:
    """See to it that all did the same work, and say how many hypotheses are the same as stock's or hf_short's."""
    tokens = {way: outcome.rounds[0].facts["tokens"] for way, outcome in outcomes.items()}
    lengths = {way: {id_: len(row) for id_, row in found.items()} for way, found in tokens.items()}
    different = [way for way in tokens if lengths[way] != lengths["stock"]]
    assert not different, f"other numbers of tokens than stock: {different}"
    n_different = len({row[:3] for row in tokens["stock"].values()})
    notes = [f"of {len(tokens['stock'])} hypotheses {n_different} begin with other tokens"]
    for way, found in tokens.items():
        peer = "hf_short" if way.endswith("short") else "stock"
        if peer not in tokens or peer == way:
            continue
        n_same = sum(found[id_] == row for id_, row in tokens[peer].items())
        assert not exact or not way.startswith("torch") or n_same == len(found), f"{way}: other tokens than {peer}"
        notes.append(f"{way} {n_same} of {len(found)} as {peer}")
    return ["Hypotheses the same as a peer's, token by token: " + "; ".join(notes) + "."]


HEAD = ["way", "utterances/s", "RTFx", "× stock", "peak GB (above imports)", "useful", f"s for {N_JOB:,}"]


def rows_of(outcomes: dict[str, Outcome], shape: Shape, speeches: Sequence[Speech], device: str) -> list[list[str]]:
    """One row of the table for each way."""
    floor = sum(decoding_flops(shape, s.duration_s, n_new(s)) for s in speeches) / len(speeches)
    speed = product_flops(device, model_dtype(device))
    rows = []
    for way, outcome in outcomes.items():
        first = outcome.rounds[0]
        rows.append([
            way, f"{outcome.per_s:.2f}", f"{outcome.per_s * first.audio_s / first.utterances:.1f}",
            f"{outcome.ratio(outcomes['stock']):.2f}", memory(outcome), f"{100 * floor * outcome.per_s / speed:.0f} %",
            f"{N_JOB / outcome.per_s:.0f}",
        ])  # fmt: skip
    return rows


def main() -> None:
    """Measure, check, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=SHAPES, default="tiny")
    parser.add_argument("--mean", type=float, choices=SPREADS, default=3.3, help="mean length in seconds")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batches", type=int, default=2, help="batches of 16 in a round")
    parser.add_argument("--ways", default="", help="which beside stock, by commas; all unless given")
    parser.add_argument("--quick", action="store_true", help="one round of one batch: to see that it runs")
    parser.add_argument("--whole", default="", help=f"ways that decode all {N_JOB:,} utterances, in one round")
    parser.add_argument("--json", action="store_true", help="print JSON; nothing is kept")
    arguments = parser.parse_args()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    shape, device = SHAPES[arguments.model], arguments.device
    n_batches, repeats = (1, 1) if arguments.quick else (arguments.batches, arguments.repeats)
    speeches = draw(N_JOB, arguments.mean)
    whole = plan(speeches)
    groups = representative(whole, n_batches, _measures)
    ways = ways_of(shape, groups, device)
    if arguments.ways:
        ways = {way: ways[way] for way in ["stock", *arguments.ways.split(",")]}
    outcomes = in_turn(ways, repeats, device, say)
    notes = [f"Medians of {repeats}; ratios are medians of each round's.", *check(outcomes, device == "cpu")]
    if arguments.whole:
        everything = ways_of(shape, whole, device)
        chosen = {way: everything[way] for way in arguments.whole.split(",")}
        for way, outcome in in_turn(chosen, 1, device, say).items():
            notes.append(f"All {N_JOB:,} utterances, {way}: {outcome.rounds[0].clock_s:.1f} s by the clock.")
    if arguments.json:
        print(as_json(outcomes, "stock", notes))
        return
    printed = table(HEAD, rows_of(outcomes, shape, speeches, device))
    print("\n\n".join([*notes, printed]))
    if not arguments.quick:
        title = f"decode.py, {arguments.model}, mean {arguments.mean:g} s, {device}"
        keep(title, section(device, notes, printed))


if __name__ == "__main__":
    main()
