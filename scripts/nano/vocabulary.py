"""nano's vocabulary: a small byte-level BPE in the places of Whisper's large one.

Ids 0 … n-1 are nano's own entries, then unused ones up to 50,255, the empty string at 50,256 as in the public
vocabulary, then Whisper's special tokens and 1,501 timestamps. Every special id and the size (51,865) equal the
public multilingual ones, because runtimes derive them from the size (whisper.cpp) or look for the empty string
(CTranslate2 4.8: without it a model is English-only).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import WhisperTokenizer
from transformers.models.whisper.tokenization_whisper import LANGUAGES

N_TEXT = 50_257  # ids below the special tokens
EMPTY_STRING = 50_256
VOCABULARY_SIZE = 51_865
END_OF_TEXT = 50_257
START_OF_TRANSCRIPT = 50_258
TRANSLATE, TRANSCRIBE, START_OF_LM, START_OF_PREVIOUS, NO_SPEECH, NO_TIMESTAMPS = range(50_358, 50_364)
TIMESTAMP_BEGIN = 50_364

# What OpenAI's and faster-whisper's `non_speech_tokens` look up: the first token of each " " + symbol is
# suppressed, which must not be the bare space.
_NEVER_SPOKEN = [
    "-",
    "'",
    '"',
    "#",
    "(",
    ")",
    "*",
    "+",
    "/",
    ":",
    ";",
    "<",
    "=",
    ">",
    "@",
    "[",
    "\\",
    "]",
    "^",
    "_",
    "`",
    "{",
    "|",
    "}",
    "~",
    "「",
    "」",
    "『",
    "』",
    "♩",
    "♪",
    "♫",
    "♬",
    "♭",
    "♮",
    "♯",
]


def language_id(language: str) -> int:
    """The id of a language's token."""
    return START_OF_TRANSCRIPT + 1 + list(LANGUAGES).index(language)


def _own_entries(texts: Iterable[str], n_entries: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Train the BPE, then merge the never-spoken symbols, with and without a space, into entries of their own."""
    import json

    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = byte_level
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=n_entries, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    bpe.train_from_iterator(texts, trainer)
    model = json.loads(bpe.to_str())["model"]
    vocab: dict[str, int] = model["vocab"]
    merges = [tuple(merge) for merge in model["merges"]]
    space = byte_level.pre_tokenize_str(" ")[0][0]
    for symbol in _NEVER_SPOKEN:
        units = list(byte_level.pre_tokenize_str(symbol)[0][0])
        merged = units[0]
        for unit in units[1:]:
            merges.append((merged, unit))
            merged += unit
            vocab.setdefault(merged, len(vocab))
        merges.append((space, merged))
        vocab.setdefault(space + merged, len(vocab))
    return vocab, list(dict.fromkeys(merges))


@dataclass(frozen=True)
class Vocabulary:
    """The tokenizer, and how many of the ids below 50,257 it really uses."""

    tokenizer: WhisperTokenizer
    n_own: int


def build(texts: Iterable[str], n_entries: int) -> Vocabulary:
    """Train nano's tokenizer on its own text."""
    vocab, merges = _own_entries(texts, n_entries)
    n_own = len(vocab)
    for index in range(n_own, EMPTY_STRING):
        vocab[f"[unused{index}]"] = index
    vocab[""] = EMPTY_STRING
    languages = [f"<|{code}|>" for code in list(LANGUAGES)[:99]]
    tokenizer = WhisperTokenizer(
        vocab=vocab,
        merges=merges,
        unk_token="<|endoftext|>",
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=[
            "<|startoftranscript|>", *languages, "<|translate|>", "<|transcribe|>", "<|startoflm|>",
            "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
        ],
    )  # fmt: skip
    stamps = [AddedToken(f"<|{0.02 * i:.2f}|>", normalized=False, special=False) for i in range(1501)]
    tokenizer.add_tokens(stamps)
    tokenizer.set_prefix_tokens()
    check(tokenizer)
    return Vocabulary(tokenizer, n_own)


def check(tokenizer: WhisperTokenizer) -> None:
    """Assert that every special id is the public one."""
    expected = {
        "": EMPTY_STRING,
        "<|endoftext|>": END_OF_TEXT,
        "<|startoftranscript|>": START_OF_TRANSCRIPT,
        "<|en|>": 50_259,
        "<|fr|>": 50_265,
        "<|su|>": 50_357,
        "<|translate|>": TRANSLATE,
        "<|transcribe|>": TRANSCRIBE,
        "<|startofprev|>": START_OF_PREVIOUS,
        "<|nospeech|>": NO_SPEECH,
        "<|notimestamps|>": NO_TIMESTAMPS,
        "<|0.00|>": TIMESTAMP_BEGIN,
        "<|30.00|>": VOCABULARY_SIZE - 1,
    }
    found = {token: tokenizer.convert_tokens_to_ids(token) for token in expected}
    assert found == expected, found
    assert len(tokenizer) == VOCABULARY_SIZE, len(tokenizer)


def suppressed_ids(tokenizer: WhisperTokenizer) -> list[int]:
    """The text and control ids that decoding never emits, as in the public `generation_config.json`."""
    ids = set()
    for symbol in _NEVER_SPOKEN:
        for text in (symbol, " " + symbol):
            encoded = tokenizer.encode(text, add_special_tokens=False)
            if len(encoded) == 1 and symbol not in "-'":
                ids.add(encoded[0])
    for symbol in (" -", " '"):
        ids.update(tokenizer.encode(symbol, add_special_tokens=False)[:1])
    control = [START_OF_TRANSCRIPT, TRANSLATE, TRANSCRIBE, START_OF_LM, START_OF_PREVIOUS, NO_SPEECH]
    return sorted(ids) + control
