"""Texts of dev and test → those that another split has too, word for word or nearly.

Nearly: sets of character 5-grams (case and punctuation aside) whose Jaccard similarity is beyond a threshold t. Found
exactly and without comparing all with all, by prefix filtering (Bayardo, Ma & Srikant, "Scaling up all pairs similarity
search", WWW 2007; with several shared members: Wang, Li & Feng, "Can we beat the prefix filtering?", SIGMOD 2012): of
two sets that similar, ordered by rarity, the first ``n - ceil(t n) + m`` members share m. Of the pairs left, 64 bits
each tell most apart (Sandes, Teodoro & Melo, "Bitmap filter", Information Systems 2020): bits that differ are members
that differ. Only the prefixes of dev and test are kept in memory; the others' texts pass by in chunks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parlure.corpus.check.findings import Ledger
from parlure.corpus.manifest import SPLITS

_GRAM = 5  # characters
_MIN_WORDS = 5  # of a text that nobody repeats by chance; back-channels are shorter
_MIN_CHARACTERS = 12  # of one in a script without spaces
_MIN_SAME_WORDS = 3
_CHUNK = 20_000  # texts at a time
_BUCKETS = 22  # bits: gram frequencies are counted by bucket, for order alone
_SEPARATOR = re.compile(r"[\W_]+")
_Hashes = npt.NDArray[np.uint64]
_Places = npt.NDArray[np.int64]


def bare(text: str) -> str:
    """A text without case and punctuation, as texts are compared."""
    return _SEPARATOR.sub(" ", text.casefold()).strip()


def _is_long(text: str) -> bool:
    n_spaces = text.count(" ")
    return n_spaces + 1 >= _MIN_WORDS if n_spaces else len(text) >= _MIN_CHARACTERS


def check_copies(ledger: Ledger) -> None:
    """Texts that are in two splits, and texts that are there again in one."""
    if ledger.runs("text_leak", "same_text"):
        _check_leaks(ledger)
    if ledger.runs("repeated_text"):
        _check_repeats(ledger)


def _check_repeats(ledger: Ledger) -> None:
    seen: set[int] = set()
    again: list[int] = []
    n_texts = 0
    for index, utterance in enumerate(ledger.utterances):
        text = bare(utterance.text)
        if text.count(" ") + 1 < _MIN_SAME_WORDS:
            continue
        n_texts += 1
        key = hash((utterance.split, text))  # a collision in 64 bits moves the share by nothing
        if key in seen:
            again.append(index)
        seen.add(key)
    if len(again) > ledger.threshold("repeated_text") * n_texts:
        for index in again:
            ledger.add("repeated_text", index, ledger.utterances[index].text[:80])


def _check_leaks(ledger: Ledger) -> None:
    """Test against train and dev, dev against train."""
    utterances = ledger.utterances
    evals: dict[str, list[int]] = {}
    for index, utterance in enumerate(utterances):
        if utterance.split != "train" and (text := bare(utterance.text)):
            evals.setdefault(text, []).append(index)
    long_texts = [text for text in evals if _is_long(text)]
    index_ = _Index(long_texts, ledger.threshold("text_leak")) if ledger.runs("text_leak") and long_texts else None
    found: dict[int, tuple[float, int]] = {}  # eval utterance → similarity and the other
    for others in _chunks(ledger):
        for text, other in others:
            for index in evals.get(text, ()):
                if _leaks(utterances[index].split, utterances[other].split):
                    found[index] = (1.0, other)
        if index_ is None:
            continue
        for place, number, similarity in index_.near([text for text, _ in others]):
            other = others[number][1]
            for index in evals[long_texts[place]]:
                if index not in found and _leaks(utterances[index].split, utterances[other].split):
                    found[index] = (similarity, other)
    for index, (similarity, other) in sorted(found.items()):
        text = bare(utterances[index].text)
        said = f"{utterances[other].id} ({utterances[other].split}): {utterances[other].text[:80]}"
        if _is_long(text) and similarity > ledger.threshold("text_leak"):
            ledger.add("text_leak", index, f"{similarity:.2f} like {said}", similarity)
        if similarity == 1.0 and text.count(" ") + 1 >= _MIN_SAME_WORDS:
            ledger.add("same_text", index, f"as {said}", len(text))


def _leaks(split: str, other: str) -> bool:
    """Whether what is in a split must not be in another: said of the later one in train, dev, test."""
    return SPLITS.index(split) > SPLITS.index(other)


def _chunks(ledger: Ledger) -> Iterator[list[tuple[str, int]]]:
    """Texts of train and dev, each once in its split and chunk, with the first utterance that has it."""
    chunk: dict[tuple[str, str], int] = {}
    for index, utterance in enumerate(ledger.utterances):
        if utterance.split != "test" and (text := bare(utterance.text)):
            chunk.setdefault((text, utterance.split), index)
        if len(chunk) >= _CHUNK:
            yield [(text, first) for (text, _), first in chunk.items()]
            chunk = {}
    if chunk:
        yield [(text, first) for (text, _), first in chunk.items()]


@dataclass(frozen=True)
class _Grams:
    """Distinct grams of several texts, text by text and the rarest first.

    Attributes:
        hashes: of the grams, shape ``(n,)``.
        owners: the number of each one's text, ascending.
        sizes: grams of each text, shape ``(n_texts,)``.
    """

    hashes: _Hashes
    owners: _Places
    sizes: _Places

    @property
    def sketches(self) -> _Hashes:
        """64 bits for each text: those to which its grams are hashed; 0 for a text without any."""
        sketches = np.zeros(len(self.sizes), np.uint64)
        there = np.flatnonzero(self.sizes)
        if len(there):
            bits = np.uint64(1) << (self.hashes & np.uint64(63))
            sketches[there] = np.bitwise_or.reduceat(bits, (np.cumsum(self.sizes) - self.sizes)[there])
        return sketches

    def prefixes(self, threshold: float, n_shared: int) -> tuple[_Hashes, _Places]:
        """Those of which two similar texts must share so many."""
        starts = np.concatenate(([0], np.cumsum(self.sizes)[:-1]))
        ranks = np.arange(len(self.hashes)) - np.repeat(starts, self.sizes)
        lengths = self.sizes - np.ceil(threshold * self.sizes - 1e-9).astype(np.int64) + n_shared
        kept = ranks < np.repeat(lengths, self.sizes)
        return self.hashes[kept], self.owners[kept]


class _Index:
    """Texts that near ones are looked for."""

    def __init__(self, texts: Sequence[str], threshold: float) -> None:
        self._texts, self._threshold = texts, threshold
        # five words have five grams or more, of which this threshold lets three be shared at the least
        self._n_shared = 3 if threshold >= 0.6 else 1
        self._frequencies = np.zeros(1 << _BUCKETS, np.int32)
        for start in range(0, len(texts), _CHUNK):
            hashes, _ = _hashed(texts[start : start + _CHUNK])
            self._frequencies += np.bincount(_bucket(hashes), minlength=1 << _BUCKETS).astype(np.int32)
        keys, owners, sizes, sketches = [], [], [], []
        for start in range(0, len(texts), _CHUNK):
            grams = self._grams(texts[start : start + _CHUNK])
            some, whose = grams.prefixes(threshold, self._n_shared)
            keys.append(some)
            owners.append(whose + start)
            sizes.append(grams.sizes)
            sketches.append(grams.sketches)
        self._keys, self._owners = np.concatenate(keys), np.concatenate(owners)
        order = np.argsort(self._keys, kind="stable")
        self._keys, self._owners = self._keys[order], self._owners[order]
        self._sizes, self._sketches = np.concatenate(sizes), np.concatenate(sketches)

    def _grams(self, texts: Sequence[str]) -> _Grams:
        hashes, owners = _hashed(texts)
        order = np.lexsort((hashes, self._frequencies[_bucket(hashes)], owners))
        return _Grams(hashes[order], owners[order], np.bincount(owners, minlength=len(texts)))

    def near(self, texts: Sequence[str]) -> Iterator[tuple[int, int, float]]:
        """``(number of the indexed text, number of the text, similarity)`` of each pair beyond the threshold."""
        grams = self._grams(texts)
        keys, owners = grams.prefixes(self._threshold, self._n_shared)
        first = np.searchsorted(self._keys, keys, side="left")
        counts = np.searchsorted(self._keys, keys, side="right") - first
        some = counts > 0
        first, counts, owners = first[some], counts[some], owners[some]
        step = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        indexed, probing = self._owners[np.repeat(first, counts) + step], np.repeat(owners, counts)
        one, other = self._sizes[indexed], grams.sizes[probing]
        possible = np.minimum(one, other) >= self._threshold * np.maximum(one, other)
        differing = np.bitwise_count(self._sketches[indexed] ^ grams.sketches[probing])
        possible &= differing * (1.0 + self._threshold) <= (1.0 - self._threshold) * (one + other) + 1e-9
        pairs, n_shared = np.unique(indexed[possible] * len(texts) + probing[possible], return_counts=True)
        for pair in pairs[n_shared >= self._n_shared].tolist():
            place, number = divmod(pair, len(texts))
            similarity = _jaccard(self._texts[place], texts[number])
            if similarity > self._threshold:
                yield place, number, similarity


def _hashed(texts: Sequence[str]) -> tuple[_Hashes, _Places]:
    """Hashes of the distinct grams of each text and the number of their text, in the texts' order."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    owners = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    n = max(0, len(codes) - _GRAM + 1)
    hashes = np.zeros(n, np.uint64)
    for place in range(_GRAM):
        hashes = (hashes ^ codes[place : place + n]) * np.uint64(0x9E3779B97F4A7C15)  # wraps around
        hashes ^= hashes >> np.uint64(29)
    inside = owners[:n] == owners[_GRAM - 1 : _GRAM - 1 + n]
    hashes, owners = hashes[inside], owners[:n][inside]
    order = np.lexsort((hashes, owners))
    hashes, owners = hashes[order], owners[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    return hashes[new], owners[new]


def _bucket(hashes: _Hashes) -> _Places:
    return (hashes >> np.uint64(64 - _BUCKETS)).astype(np.int64)


def _jaccard(one: str, other: str) -> float:
    first, second = ({text[i : i + _GRAM] for i in range(len(text) - _GRAM + 1)} for text in (one, other))
    shared = len(first & second)
    total = len(first) + len(second) - shared
    return shared / total if total else 0.0
