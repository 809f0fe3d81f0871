"""What the command ``parlure export`` does: write, and prove that the export still says what the model says."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.exclusive import is_empty
from parlure.scoring.skills.parity import Parity, check_parity
from parlure.shipping.export.runtimes import open_runtime
from parlure.shipping.export.target import Target
from parlure.shipping.export.with_adapter import to_adapter
from parlure.shipping.export.with_ctranslate2 import to_ctranslate2
from parlure.shipping.export.with_ggml import GGML_NUMBERS, to_ggml
from parlure.shipping.export.with_hf import HF_NUMBERS, to_hf
from parlure.shipping.export.with_openai import OPENAI_NUMBERS, to_openai
from parlure.shipping.export.written import write_written
from parlure.transcribing.engines.choice import open_engine
from parlure.whisper.conversion import QUANTIZATIONS
from parlure.whisper.languages import refuse_inserted
from parlure.whisper.load import load_tokenizer, locate, tuned_for_short

EXPORTERS: Mapping[str, Target] = {
    "hf": Target("Hugging Face", to_hf, HF_NUMBERS, any_vocabulary=True),
    "adapter": Target("PEFT", to_adapter, HF_NUMBERS, any_vocabulary=True),
    "ctranslate2": Target("CTranslate2", to_ctranslate2, QUANTIZATIONS),
    "ggml": Target("whisper.cpp", to_ggml, GGML_NUMBERS),
    "openai": Target("openai-whisper", to_openai, OPENAI_NUMBERS),
}
PARITY = "parity.json"


def export(
    model: str,
    out: Path,
    *,
    to: str = "ctranslate2",
    quantize: str | None = None,
    parity: Path | None = None,
    split: str = "test",
) -> list[Parity]:
    """Write a MODEL for another runtime, and hold it against the original.

    Args:
        model: a MODEL.
        out: the folder to make, which is there as soon as it is whole.
        to: of :data:`EXPORTERS`.
        quantize: how numbers are stored; None is the target's own.
        parity: a corpus to decode with both, at 30 s, and in short windows if the model was tuned on them; what was
            found is written to ``parity.json`` in the folder.
        split: of the corpus.

    Returns:
        What each window showed; nothing without a corpus.

    Raises:
        ParlureError: the folder is not empty, there is no such target or it stores no such numbers, model or corpus
            cannot be used, or a language of the model has a token of its own, of which the target knows nothing.
    """
    if to not in EXPORTERS:
        raise ParlureError(f"there is no export to {to}", f"choose --to {' or '.join(EXPORTERS)}")
    if not is_empty(out):
        raise ParlureError(f"{out} is not empty", "give another folder: --out NAME")
    utterances = () if parity is None else Corpus.load(parity).select(split)
    if parity is not None and not utterances:
        raise ParlureError(f"{parity} has no {split} utterances", "choose another --split")
    target = EXPORTERS[to]
    chosen = target.choose(quantize)
    if not target.any_vocabulary:
        refuse_inserted(load_tokenizer(*locate(model)), model, to)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".exporting-") as place:
        whole = Path(place) / "export"
        notes = target.write(model, whole, chosen)
        write_written(whole, to, chosen, model, notes or ())
        if out.exists():
            out.rmdir()
        whole.rename(out)
    if parity is None:
        return []
    found = check_parity(
        utterances, open_engine(model), open_runtime(out),
        windows=("full", "short") if tuned_for_short(model) else ("full",),
    )  # fmt: skip
    told = {"model": model, "corpus": parity.resolve().name, "split": split, "passed": all(one.passed for one in found)}
    text = json.dumps(told | {"windows": [asdict(one) for one in found]}, indent=2, ensure_ascii=False)
    (out / PARITY).write_text(text + "\n", encoding="utf-8")
    return found
