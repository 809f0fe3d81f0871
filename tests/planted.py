"""A corpus of 500 utterances in which defects are planted, each known by the code that has to find it.

Speech is stood in for by noise in bursts: 3 to 5 kHz and below, with pauses, so that no rule about sound has a reason
to complain. Texts are drawn from French words, each different from all others.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from parlure.corpus.manifest import SCHEMA_VERSION

RATE = 16_000
N_SPEAKERS, N_EACH = 50, 10
WORDS = (  # noqa: SIM905
    "chat chien maison jardin rivière montagne fenêtre voiture école livre table chaise lumière matin soirée "
    "hiver neige pluie soleil nuage forêt oiseau poisson cheval vache mouton route pont village ville marché "
    "pain fromage lait café sucre pomme poire cerise fraise raisin orange couteau assiette verre bouteille "
    "cuisine chambre salon escalier porte clé chapeau manteau chemise soulier musique chanson danse théâtre "
    "cinéma journal lettre enveloppe "
).split()
VERBS = ("voit cherche trouve regarde prend laisse porte montre cache donne garde perd aime ").split()  # noqa: SIM905


def sentence(rng: random.Random, n_words: int = 9) -> str:
    """Words in an order that nobody says twice."""
    words = [rng.choice(VERBS) if place % 3 == 1 else rng.choice(WORDS) for place in range(n_words)]
    return " ".join(words).capitalize() + "."


def noise(rng: np.random.Generator, seconds: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Bursts of noise of 0.3 s with pauses of 0.1 s over a faint floor, 0.05 of full scale."""
    n = round(seconds * RATE)
    at = np.arange(n) / RATE
    gate = (at % 0.4 < 0.3) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * at))
    return (rng.normal(0, 0.08, n) * gate + rng.normal(0, 0.0005, n)).astype(np.float32)


def clean_rows(folder: Path) -> list[dict[str, Any]]:
    """The corpus without any defect: 40 speakers in train, 5 in dev, 5 in test; every row a file of its own."""
    rng, sound = random.Random(5), np.random.default_rng(5)
    (folder / "audio").mkdir(parents=True)
    rows = []
    for speaker in range(N_SPEAKERS):
        split = "train" if speaker < 30 else "dev" if speaker < 40 else "test"
        for number in range(N_EACH):
            name = f"s{speaker:02d}-{number}"
            seconds = rng.uniform(3.0, 4.5)
            soundfile.write(folder / "audio" / f"{name}.wav", noise(sound, seconds), RATE)
            rows.append(
                {
                    "id": name, "recording": f"audio/{name}.wav", "start": 0.0, "end": round(seconds, 3) - 0.01,
                    "channel": None, "text": sentence(rng), "language": "fr", "task": "transcribe",
                    "speaker": f"speaker-{speaker:02d}", "session": f"session-{speaker:02d}", "split": split,
                    "segments": None, "prompt": None, "tags": [],
                }
            )  # fmt: skip
    return rows


def write_corpus(folder: Path, rows: list[dict[str, Any]], **info: Any) -> Path:
    """The rows as a corpus."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "manifest.jsonl").write_text(lines, encoding="utf-8")
    about = {"schema_version": SCHEMA_VERSION, "licence": "CC0-1.0", **info}
    (folder / "corpus.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def _text(text: str | Callable[[str], str]) -> Callable[[dict[str, Any], Path], None]:
    def plant(row: dict[str, Any], path: Path) -> None:
        row["text"] = text if isinstance(text, str) else text(row["text"])

    return plant


def _samples(change: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]], **how: Any) -> Callable[..., None]:
    def plant(row: dict[str, Any], path: Path) -> None:
        samples, rate = soundfile.read(path, dtype="float32")
        soundfile.write(path, change(samples), how.pop("rate", rate), **how)

    return plant


def _stereo(other: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]], channel: int | None) -> Callable[..., None]:
    def plant(row: dict[str, Any], path: Path) -> None:
        samples, rate = soundfile.read(path, dtype="float32")
        soundfile.write(path, np.stack([samples, other(samples)], axis=1), rate)
        row["channel"] = channel

    return plant


def _times(start: float, end: float) -> Callable[[dict[str, Any], Path], None]:
    def plant(row: dict[str, Any], path: Path) -> None:
        row["start"], row["end"] = start, end

    return plant


def _longer(row: dict[str, Any], path: Path) -> None:
    soundfile.write(path, noise(np.random.default_rng(9), 31.5), RATE)
    row["end"], row["text"] = 31.0, sentence(random.Random(9), 60)


def _cut(row: dict[str, Any], path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-400])


def _garbage(row: dict[str, Any], path: Path) -> None:
    path.write_bytes(b"this is no sound" * 50)


def _telephone(samples: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    spectrum = np.fft.rfft(samples)
    spectrum[int(len(spectrum) * 3400 / 8000) :] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def _at_the_end(samples: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    out = samples.copy()
    out[: len(out) - round(0.5 * RATE)] = 0.0
    return out


def _in_the_middle(samples: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    out = np.zeros_like(samples)
    out[2000:6000] = samples[2000:6000]
    return out


def _clipped(share: float) -> Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    def change(samples: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        limit = np.quantile(np.abs(samples), 1 - share)
        return np.clip(samples / limit, -1.0, 32767 / 32768)

    return change


def _nan(row: dict[str, Any], path: Path) -> None:
    samples, rate = soundfile.read(path, dtype="float32")
    samples[100] = np.nan
    soundfile.write(path, samples, rate, subtype="FLOAT")


def _loop(text: str) -> str:
    return "Le chat le chat le chat le chat le chat."


# code → what is done to one row and its recording; rows are train's, of different speakers
DEFECTS: dict[str, Callable[[dict[str, Any], Path], None]] = {
    "empty_text": _text("..."),
    "foreign_characters": _text(lambda text: text.replace("e", "\u0435", 1)),  # Cyrillic
    "odd_symbols": _text(lambda text: text + " \u266a"),
    "mojibake": _text("La rivi\u00c3\u00a8re cherche un oiseau dans la for\u00c3\u00aat."),
    "decomposed_accents": _text("La rivie\u0300re montre un poisson au village."),
    "zero_width": _text(lambda text: text.replace(" ", " \u200b", 1)),
    "annotation_residue": _text("&=rires le mouton regarde xxx la cerise +..."),
    "word_loop": _text(_loop),
    "personal_data": _text("Mon numéro de carte est le 4111 1111 1111 1111."),
    "label_too_long": _text(lambda text: " ".join(["a"] * 460)),
    "too_long": _longer,
    "too_short": _times(0.5, 0.55),
    "short": _times(0.5, 1.2),
    "fast_characters": _text(lambda text: (text[:-1] + " ") * 3),
    "slow_speech": _text("Oh."),
    "missing_file": lambda row, path: path.unlink(),
    "undecodable": _garbage,
    "truncated_audio": _cut,
    "bad_samples": _nan,
    "bad_span": _times(2.0, 60.0),
    "bad_channel": lambda row, path: row.update(channel=3),
    "telephone_band": _samples(_telephone),
    "mixed_channels": _stereo(lambda samples: samples[::-1].copy(), None),
    "identical_channels": _stereo(lambda samples: samples, 0),
    "inverted_channels": _stereo(lambda samples: -samples, 0),
    "silent_channel": _stereo(lambda samples: samples * 0, 0),
    "clipping": _samples(_clipped(0.004)),
    "heavy_clipping": _samples(_clipped(0.05)),
    "dc_offset": _samples(lambda samples: samples + 0.05),
    "near_silent": _samples(lambda samples: samples * 0.03),
    "no_speech": _samples(lambda samples: samples * 0),
    "little_speech": _samples(_in_the_middle),
    "leading_silence": _samples(_at_the_end),
    "low_sample_rate": _samples(lambda samples: samples[::2].copy(), rate=8000),
}
