"""A tokenizer's own entries as the bytes they stand for, in the order of their ids: what runtimes store or bring."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from transformers import WhisperTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from parlure.whisper.prompt import SpecialTokens

# SHA-256 of the entries of openai-whisper's two vocabularies (whisper/assets/*.tiktoken), see fingerprint()
MULTILINGUAL = "7a1796f07fce01ae84cc2f83b9a72da17dc652ddc339cb113edcc4c60094f418"
ENGLISH = "7cff19521369c7f5f5ed77ed7b730e7491800afb47d01d341e12b3ca740d8543"


def token_bytes(tokenizer: WhisperTokenizer) -> list[bytes]:
    """What each id below ``<|endoftext|>`` stands for; byte-level entries are spelt in GPT-2's alphabet of bytes."""
    bytes_of = {letter: byte for byte, letter in bytes_to_unicode().items()}
    backend, end = tokenizer.backend_tokenizer, SpecialTokens.of(tokenizer).end
    return [bytes(bytes_of[letter] for letter in backend.id_to_token(id_) or "") for id_ in range(end)]


def fingerprint(entries: Sequence[bytes]) -> str:
    """SHA-256 of entries, each behind its length, so that no two lists read the same."""
    digest = hashlib.sha256()
    for entry in entries:
        digest.update(len(entry).to_bytes(4, "little") + entry)
    return digest.hexdigest()
