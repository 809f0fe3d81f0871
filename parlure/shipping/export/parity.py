"""What the command ``parlure parity`` does: hold an export against the model that it was made from."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError
from parlure.exclusive import alone_in
from parlure.scoring.parity.figures import Part
from parlure.scoring.parity.page import parity_page
from parlure.scoring.parity.report import build_parity
from parlure.scoring.parity.tolerance import precision_of, tolerance_for
from parlure.scoring.skills.listening import Window
from parlure.scoring.skills.parity import heard_in, listen, utterance_lines
from parlure.shipping.export.runtimes import open_as_its_users, open_runtime, own_windows, takes_features
from parlure.shipping.export.written import read_written
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.engines.interface import Engine
from parlure.whisper.load import hash_files, locate, tuned_for_short, weight_files

PARITY, PAGE = "parity.json", "parity.html"
Hearing = Literal["both", "same", "own"]


def parity(
    model: str,
    exported: str | Path,
    corpus: str | Path,
    *,
    split: str = "test",
    out: str | Path | None = None,
    features: Hearing = "both",
    min_same: float | None = None,
    max_loss: float | None = None,
    batch_size: int = 16,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Decode utterances with a MODEL in torch and with an export of it, and compare; a call that was stopped goes on.

    On the same features where the runtime takes them, in 30 s, and in short windows too if the model was tuned on them;
    and as the runtime prepares its own, with phrase times last. Translations are left out, and counted.

    Args:
        model: the MODEL that the export was made from.
        exported: a folder that ``parlure export`` made.
        corpus: a corpus folder.
        split: of the corpus.
        out: folder for ``parity.json`` and ``parity.html``; None is the export's own.
        features: ``same``, ``own`` or both.
        min_same: share of texts that are to be the same on the same features, in per cent; None is the precision's.
        max_loss: points of WER that may be lost; None is the precision's.
        batch_size: 30 s windows decoded together.
        progress: called with (utterances done, to do), over both systems and all parts.

    Returns:
        The content of ``parity.json``, see :func:`parlure.scoring.parity.report.build_parity`.

    Raises:
        ParlureError: model, export or corpus cannot be used, the export is of another model, the split is empty, nobody
            says a word in it, the runtime does not take features, or a limit makes no sense.
    """
    folder = Path(exported)
    out = folder if out is None else Path(out)
    written = read_written(folder)
    if written.sha256 != hash_files(weight_files(*locate(model))):
        raise ParlureError(
            f"{folder} was not made from {model} as it is now, but from {written.model}",
            "name the model that it was made from, or export again",
        )
    utterances, n_left_out = utterances_for_parity(corpus, split)
    parts = parts_of(folder, tuned_for_short(model), features)
    tolerance_for("float32", min_same=min_same, max_loss=max_loss)  # before anything is decoded
    n_done, n_total = 0, 2 * sum(len(heard_in(part, utterances)) for part in parts)

    def tick(n: int) -> None:
        nonlocal n_done
        n_done += n
        if progress and n:
            progress(n_done, n_total)

    options = DecodingOptions(batch_size=batch_size)
    with alone_in(out):
        original = listen(
            "original", _once(lambda _: open_engine(model), anew=False), parts, utterances, out, options, tick
        )
        runtimes = _once(lambda part: open_runtime(folder) if part.features == "same" else open_as_its_users(folder))
        heard = listen("exported", runtimes, parts, utterances, out, options, tick)
        numbers = {str(how["compute_type"]) for how in heard.how.values()}
        precision = precision_of(written.quantize, *numbers)
        report = build_parity(
            utterance_lines(parts, utterances, original, heard),
            parts,
            {"original": original.how, "exported": heard.how},
            {
                "model": model,
                "export": folder.name,
                "format": written.format,
                "quantize": written.quantize,
                "corpus": Path(corpus).resolve().name,
                "split": split,
                "n_utterances": len(utterances),
                "n_translations_left_out": n_left_out,
            },
            precision,
            tolerance_for(precision, min_same=min_same, max_loss=max_loss),
        )
        text = json.dumps(report, indent=1, ensure_ascii=False)
        (out / PARITY).write_text(text + "\n", encoding="utf-8")
        (out / PAGE).write_text(parity_page(report), encoding="utf-8")
        for journal in (*original.journals, *heard.journals):
            journal.remove()
    return report


def utterances_for_parity(corpus: str | Path, split: str) -> tuple[list[Utterance], int]:
    """What an export is judged by, and how many translations are left out.

    Raises:
        ParlureError: the corpus cannot be used, the split is empty, or nobody says a word in it.
    """
    whole = Corpus.load(Path(corpus)).select(split)
    if not whole:
        raise ParlureError(f"{corpus} has no {split} utterances", "choose another --split")
    spoken = [utterance for utterance in whole if utterance.task == "transcribe"]
    if not any(utterance.text for utterance in spoken):
        raise ParlureError(
            "nobody says a word in the utterances that the export is judged by", "choose another split or corpus"
        )
    return spoken, len(whole) - len(spoken)


def parts_of(folder: Path, short: bool, features: Hearing) -> list[Part]:
    """The ways in which an export is listened to.

    Raises:
        ParlureError: only the same features are asked for, and the runtime makes its own.
    """
    takes = takes_features(folder)
    if features == "same" and not takes:
        raise ParlureError(
            f"the runtime of {folder} takes sound alone and makes its own features", "leave out --features, or say own"
        )
    windows: tuple[Window, ...] = ("full", "short") if short else ("full",)
    parts = [Part("same", window) for window in windows] if takes else []
    own = [Part("own", window) for window in own_windows(folder) if window in windows]
    chosen = {"same": parts, "own": own or parts, "both": parts + own}[features]
    return [*chosen, Part(chosen[-1].features, timed=True)]


def _once(open_one: Callable[[Part], Engine], *, anew: bool = True) -> Callable[[Part], Engine]:
    """One engine at a time, opened anew only where the features come from elsewhere, or never."""
    kept: dict[str, Engine] = {}

    def engine_of(part: Part) -> Engine:
        key = part.features if anew else "all"
        if key not in kept:
            kept.clear()
            kept[key] = open_one(part)
        return kept[key]

    return engine_of


def failed_parts(report: dict[str, Any]) -> Sequence[str]:
    """Names of those that did not pass."""
    return [part["name"] for part in report["parts"] if part["passed"] is False]
