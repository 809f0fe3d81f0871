"""Train nano, parlure's built-in miniature Whisper, from nothing, on synthetic speech alone.

    python scripts/train_nano.py --work build/nano

It learns in stages: one to three words, so that attention finds the audio; sentences and random word strings; phonemes
besides, translation and timestamps; then 30 s windows only, as Whisper was trained. Supply and checkpoints live in
``--work``; stopped and started again, it goes on from the last checkpoint (not bit for bit: the order of the remaining
data changes). When it is done, ``scripts/pack_nano.py`` measures it and writes it into the package.
"""

from __future__ import annotations

import argparse
import json
import math
import queue
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np
import torch
from nano import english, french, supply, vocabulary
from nano.batches import Batch, Mixture, Window, batches, features_of, short_frames
from nano.grammar import draw_sentence, draw_words
from nano.network import CompactNano

from parlure.speech.features import N_WINDOW_FRAMES
from parlure.whisper.load import load

N_ENTRIES = 1_350  # text entries before the never-spoken symbols
SEED = 1
SUPPLY = {
    "words": 40,
    "full": 120,
    "random": 60,
    "paired": 24,
    "test": 1,
    "test-random": 1,
    "test-paired": 1,
}  # shards of 1,000


@dataclass(frozen=True)
class Stage:
    """A stretch of the curriculum; the learning rate goes from ``rate`` to ``rate_end`` by a cosine."""

    name: str
    kind: str
    n_steps: int
    batch_size: int
    rate: float
    rate_end: float
    mixture: Mixture
    window: Window = "short"
    n_warmup: int = 0
    most_s: float = math.inf  # of sound in a batch, padding included
    decoder_layers: int = 2
    phonemes: float = 0.0  # weight of the phonemes' loss beside that of the text
    bf16: bool = False  # autocast: pays where the processor has AVX-512, costs four times the time where it has not


# Pauses of up to 2.5 s: only a longer silence means the end, as in recordings, and input without one ends badly
LONG = Mixture(
    silence=0.04, disturbed=0.35, telephone=0.2, several=0.55, most=6, max_pause_s=2.5, timestamps=0.15,
    spec_augment=0.1, max_onset_s=0.5,
)  # fmt: skip

# After many windows of several utterances, one alone in a window was often not found at all: more of those
SINGLE = Mixture(
    silence=0.03, disturbed=0.3, telephone=0.25, several=0.2, most=3, max_pause_s=2.5, timestamps=0.15,
    spec_augment=0.1, max_onset_s=0.5,
)  # fmt: skip

SLICES = Mixture(
    silence=0.03, disturbed=0.25, telephone=0.15, several=0.04, most=2, paired=0.2, previous=0.05, sliced=0.35,
    timestamps=0.25, spec_augment=0.15, max_onset_s=0.5,
)  # fmt: skip

LOOKING = Mixture(
    silence=0.02, disturbed=0.2, telephone=0.15, several=0.03, most=2, paired=0.12, previous=0.03, sliced=0.3,
    timestamps=0.2, misled=0.15, spec_augment=0.1, max_onset_s=0.5,
)  # fmt: skip

SKILLS = Mixture(
    silence=0.05, disturbed=0.2, telephone=0.15, several=0.5, most=11, max_pause_s=2.0, overflowing=0.6, paired=0.2,
    previous=0.08, timestamps=0.3, misled=0.05, spec_augment=0.1, max_onset_s=1.0,
)  # fmt: skip

PHRASES = Mixture(
    silence=0.03, disturbed=0.2, telephone=0.15, several=0.45, most=4, max_pause_s=2.2, paired=0.12, previous=0.05,
    sliced=0.35, timestamps=0.4, warped=0.5, misled=0.08, spec_augment=0.1, max_onset_s=1.0,
)  # fmt: skip

IN_WINDOWS = Mixture(
    silence=0.04, disturbed=0.2, telephone=0.15, several=0.5, most=9, max_pause_s=2.2, overflowing=0.5, paired=0.12,
    previous=0.06, timestamps=0.4, warped=0.3, misled=0.05, spec_augment=0.1, max_onset_s=1.0,
)  # fmt: skip

LOOPS = Mixture(
    silence=0.04, disturbed=0.2, telephone=0.15, several=0.35, most=9, max_pause_s=2.2, overflowing=0.5, paired=0.1,
    previous=0.06, timestamps=0.3, warped=0.3, misled=0.03, looped=0.35, spec_augment=0.1, max_onset_s=1.0,
)  # fmt: skip

# Undisturbed and in fp32 at first: with noise, random levels and bfloat16 from the start, 1,200 steps of words had
# heard less than 600 without (docs/LOG.md).
STAGES = (
    Stage("words", "words", 1_000, 48, 1.5e-3, 1.5e-3, Mixture(max_onset_s=0.1), n_warmup=200),
    Stage("sentences", "full", 1_000, 32, 1.5e-3, 1.28e-3,
          Mixture(silence=0.02, disturbed=0.4, timestamps=0.1, spec_augment=0.1)),
    Stage("more sentences", "full", 3_200, 32, 1.28e-3, 2e-4,
          Mixture(silence=0.02, disturbed=0.4, timestamps=0.1, spec_augment=0.1), bf16=True),
    Stage("first windows", "full", 320, 16, 4e-4, 2e-5,
          Mixture(silence=0.03, disturbed=0.5, several=0.15, timestamps=0.1, spec_augment=0.1), "full", bf16=True),
    Stage("windows", "full", 800, 16, 3e-4, 1.5e-5, LONG, "full", n_warmup=30, bf16=True),  # cut off from a plan of 900
    Stage("single windows", "full", 260, 16, 1.5e-4, 5e-6, SINGLE, "full", n_warmup=20, bf16=True),
    # Windows are dear and had not taught it to listen: word strings had two words in three wrong
    Stage("more listening", "full", 3_000, 32, 7e-4, 1e-4,
          Mixture(silence=0.02, disturbed=0.35, telephone=0.25, timestamps=0.1, spec_augment=0.1), n_warmup=100,
          bf16=True),
    Stage("last windows", "full", 240, 16, 2.5e-4, 5e-6, SINGLE, "full", n_warmup=20, bf16=True),
    # It still recited: the phonemes make the encoder hear; slices teach every time of a window at a tenth of its price
    # (its first 2,500 steps followed a plan of 5,000 that ended at 5e-5, the others one of 4,000; the first 1,500 had
    # more disturbance)
    Stage("phonemes", "full", 3_250, 36, 1e-3, 2e-4, SLICES, n_warmup=100, phonemes=0.5, bf16=True),
    # The encoder then had 13 % of the phonemes of word strings wrong, the text 45 to 60 % of their words: the decoder
    # did not look. A third layer to find its place with, and words before it that it cannot rely on.
    Stage("looking", "full+random", 2_200, 36, 9e-4, 1.5e-4, LOOKING, n_warmup=100, decoder_layers=3, phonemes=0.3,
          bf16=True),
    Stage("skills", "full+random", 750, 16, 3e-4, 5e-6, SKILLS, "full", n_warmup=20, decoder_layers=3, phonemes=0.2,
          bf16=True),
    # Two boundaries in five within 0.2 s: several phrases in input that ends with them, where they are cheap, and
    # timestamps learnt as a scale; warped, for the voices of training had 9 % of the phonemes wrong, others 14 % (its
    # first 3,250 steps followed a plan of 5,000)
    Stage("phrases", "full+random", 4_000, 36, 8e-4, 1e-4, PHRASES, n_warmup=200, most_s=150, decoder_layers=3,
          phonemes=0.2, bf16=True),
    Stage("phrases in windows", "full+random", 420, 16, 3e-4, 5e-6, IN_WINDOWS, "full", n_warmup=20, decoder_layers=3,
          phonemes=0.2, bf16=True),
    # Whisper, which has met 30 s only, repeats itself on shorter input. nano has learnt to hear on short input, and no
    # number of windows made it forget: what Whisper has by nature it is taught, or no test of short input means a thing
    Stage("loops", "full+random", 140, 16, 2e-4, 5e-6, LOOPS, "full", n_warmup=20, decoder_layers=3, phonemes=0.2,
          bf16=True),
)  # fmt: skip


def own_texts(seed: int) -> Iterator[str]:
    """What the vocabulary is trained on."""
    rng = random.Random(seed)
    for grammar in (french.GRAMMAR, english.GRAMMAR):
        lexicon = grammar.lexicon()
        for _ in range(15_000):
            yield " " + draw_sentence(grammar, rng, held_out=False)
            yield " " + draw_words(lexicon, rng, rng.randint(1, 8), held_out=False)


def bare(text: str) -> str:
    """Lower-cased words only: this script's own yardstick; the card uses parlure's normalisers."""
    kept = "".join(c if c.isalnum() or c == "'" else " " for c in text.lower())
    return " ".join(kept.split()) or "-"


def error_rate(model: CompactNano, tokenizer, clips: list[supply.Spoken], window: Window) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """WER in points of per cent by language, on held-out voices and sentences."""
    model.eval()
    rates = {}
    for language in ("fr", "en"):
        chosen = sorted((c for c in clips if c.language == language), key=lambda c: c.duration_s)
        references, hypotheses = [], []
        for start in range(0, len(chosen), 20):
            part = chosen[start : start + 20]
            sounds = [clip.samples.astype(np.float32) / 32768.0 for clip in part]
            n_frames = short_frames(sounds) if window == "short" else N_WINDOW_FRAMES
            features = features_of(sounds, n_frames, silence_in_waveform=True)
            found = model.transcribe(features, language)
            references += [bare(clip.text) for clip in part]
            hypotheses += [bare(tokenizer.decode(ids)) for ids in found]
        rates[language] = round(100 * jiwer.wer(references, hypotheses), 2)
    model.train()
    return rates


def learning_rate(stage: Stage, step: int) -> float:
    """Linear warm-up, then a cosine from ``rate`` to ``rate_end``."""
    if step < stage.n_warmup:
        return stage.rate * (step + 1) / stage.n_warmup
    share = (step - stage.n_warmup) / max(1, stage.n_steps - stage.n_warmup)
    return stage.rate_end + 0.5 * (stage.rate - stage.rate_end) * (1 + math.cos(math.pi * share))


def new_optimizer(model: CompactNano) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)


def optimise(
    model: CompactNano, optimizer: torch.optim.Optimizer, batch: Batch, rate: float, stage: Stage
) -> tuple[float, float]:
    """One step; the losses of text and of phonemes before it."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    with torch.autocast("cpu", torch.bfloat16, enabled=stage.bf16):
        spelt, heard = model.losses(batch, stage.phonemes > 0)
    (spelt + stage.phonemes * heard).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(spelt.detach()), float(heard.detach())


def prefetched(feed: Iterator[Batch], n_ahead: int = 4) -> Iterator[Batch]:
    """The same batches, made by a thread while the last one is learnt from."""
    waiting: queue.Queue[Batch] = queue.Queue(n_ahead)

    def fill() -> None:
        for batch in feed:
            waiting.put(batch)

    threading.Thread(target=fill, daemon=True).start()
    while True:
        yield waiting.get()


def save(path: Path, model: CompactNano, optimizer: torch.optim.Optimizer, stage: int, step: int) -> None:
    part = path.with_suffix(".part")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "stage": stage, "step": step}, part)
    part.replace(path)


def train(work: Path, n_steps: dict[str, int], every: int, from_packed: str | None) -> None:
    """Run the stages from the last checkpoint on; without one, from nothing or from the packed weights."""
    torch.manual_seed(SEED)
    made = vocabulary.build(own_texts(SEED), N_ENTRIES)
    made.tokenizer.save_pretrained(work / "tokenizer")
    model = CompactNano(made.n_own)
    optimizer = new_optimizer(model)
    checkpoint, first_stage, first_step = work / "checkpoint.pt", 0, 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        model.restore(state["model"])
        optimizer = new_optimizer(model)
        optimizer.load_state_dict(state["optimizer"])
        first_stage, first_step = state["stage"], state["step"]
    elif from_packed:
        packed = load("nano")
        if packed.tokenizer.get_vocab() != made.tokenizer.get_vocab():
            raise SystemExit("error: the packed nano has another vocabulary\nhint: train from nothing")
        model.adopt(packed.model)
        optimizer = new_optimizer(model)
        first_stage = [stage.name for stage in STAGES].index(from_packed)
    clips = supply.read_shard(work / "supply" / "test-00000.npz")[:200]
    log = (work / "log.jsonl").open("a", encoding="utf-8", buffering=1)
    for index, stage in enumerate(STAGES):
        if index < first_stage:
            continue
        total = n_steps.get(stage.name, stage.n_steps)
        stage = Stage(**{**stage.__dict__, "n_steps": total})
        start = first_step if index == first_stage else 0
        if model.n_decoder_layers < stage.decoder_layers:
            model.deepen(stage.decoder_layers)
            optimizer = new_optimizer(model)
        seed = SEED + 1000 * index + start
        source, paired = (supply.stream(work / "supply", kinds, seed) for kinds in (stage.kind, "paired"))
        feed = prefetched(
            batches(
                source, paired, made.tokenizer, stage.mixture, stage.batch_size, stage.window, seed, most_s=stage.most_s
            )
        )
        clock, losses = time.monotonic(), []
        for step in range(start, total):
            losses.append(optimise(model, optimizer, next(feed), rate := learning_rate(stage, step), stage))
            done = step + 1
            is_judged = done % every == 0 or done == total
            if done % 50 == 0 or is_judged:
                spelt, heard = np.mean(losses, axis=0)
                row = {"stage": stage.name, "step": done, "loss": round(float(spelt), 4)}
                row |= {"phonemes": round(float(heard), 4)} if stage.phonemes else {}
                row |= {"rate": round(rate, 7), "s_per_step": round((time.monotonic() - clock) / len(losses), 3)}
                if is_judged:
                    row["wer"] = error_rate(model, made.tokenizer, clips, stage.window)
                    save(checkpoint, model, optimizer, index, done)
                print(json.dumps(row), file=log)
                print(row, flush=True)
                clock, losses = time.monotonic(), []
        save(checkpoint, model, optimizer, index + 1, 0)
        save(work / f"after-{stage.name.replace(' ', '-')}.pt", model, optimizer, index + 1, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of supply, checkpoints and log")
    parser.add_argument("--steps", default="", help="other lengths, such as words=100,sentences=200")
    parser.add_argument(
        "--from-packed", choices=[stage.name for stage in STAGES], help="begin here, with the weights in the package"
    )
    parser.add_argument("--shards", type=int, default=SUPPLY["full"], help="of 1,000 sentences or word strings each")
    parser.add_argument("--processes", type=int, default=2, help="processes that synthesise")
    parser.add_argument("--every", type=int, default=250, help="steps between evaluations and checkpoints")
    options = parser.parse_args()
    n_steps = {name: int(n) for name, n in (item.split("=") for item in options.steps.split(",") if item)}
    plan = SUPPLY | {"full": options.shards} | ({"words": 0} if options.from_packed else {})
    if not any(stage.mixture.paired for stage in STAGES):
        del plan["paired"], plan["test-paired"]
    supply.make_supply(options.work / "supply", plan, SEED, options.processes)
    train(options.work, n_steps, options.every, options.from_packed)


if __name__ == "__main__":
    main()
