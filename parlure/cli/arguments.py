"""Arguments that several commands share: what their help says, and what their text means."""

from __future__ import annotations

from typing import Annotated, Literal

from typer import Option

from parlure.errors import ParlureError

MODEL_HELP = "nano, a run folder, a Hugging Face folder or a hub id such as openai/whisper-medium"
DECODABLE_HELP = f"{MODEL_HELP}; or a CTranslate2 or ONNX folder"

Engine = Annotated[
    Literal["torch", "ctranslate2", "onnx"] | None,
    Option(help="What decodes; ctranslate2 converts the model once, onnx takes an export. Unless given, by the model."),
]
Quantize = Annotated[
    Literal["float32", "float16", "bfloat16", "int8", "int8_float32", "int8_float16", "int8_bfloat16"] | None,
    Option(help="Numbers that CTranslate2 multiplies; float32 when not given, or what its folder holds."),
]
Device = Annotated[
    Literal["auto", "cpu", "cuda"], Option(help="Where the model runs; auto is the GPU where there is one.")
]
Guard = Annotated[
    list[str] | None, Option(help="Corpus of another domain, CORPUS or NAME=CORPUS, any number of times.")
]
BeamSize = Annotated[
    int,
    Option(
        min=1, help="1: the most probable token at every step; 5 is usual for beam search, and several times slower."
    ),
]
LoopGuard = Annotated[
    bool, Option("--loop-guard", help="Stop an utterance whose text goes round in circles; it changes the model's WER.")
]
Short = Annotated[
    bool | None,
    Option("--short/--no-short", help="Decode the tuned model in short windows too; unless given, if tuned on them."),
]
Window = Annotated[
    Literal["full", "short"],
    Option(help="full: 30 s; short: files of up to 30 s in windows of their own length, with a run tuned on such."),
]


def names_of(text: str | None) -> tuple[str, ...]:
    """``agent,customer`` as names."""
    return () if text is None else tuple(name.strip() for name in text.split(","))


def ratios_of(text: str | None) -> tuple[float, float, float] | None:
    """``0.8,0.1,0.1`` as numbers.

    Raises:
        ParlureError: it is not three numbers.
    """
    if text is None:
        return None
    try:
        train_share, dev_share, test_share = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ParlureError(f"--ratios {text} is not three numbers", "for example --ratios 0.8,0.1,0.1") from error
    return train_share, dev_share, test_share
