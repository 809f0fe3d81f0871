"""A corpus → the same one with speakers and sessions under other names, which nobody can undo without the key.

A pseudonym is HMAC-SHA256 of the name under a key of 256 random bits, cut to 60 of its own (a million names have two
with the same pseudonym with a probability of 4 in 10 million). The same key gives the same pseudonyms in every corpus,
so that corpora stay comparable, and ``forget --key`` finds a person by name. Without the key a pseudonym says nothing,
and names cannot be tried out against it either, which a hash without a key would allow.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from parlure.corpus.editing.edited import Edit, EditSummary, check_new_folder, write_edit
from parlure.corpus.editing.traces import mentions, n_mentions, without_traces
from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError

_KEY_CHARS = 64  # hexadecimal: 256 bits
_PSEUDONYM_CHARS = 12  # of base32, 5 bits each


@dataclass(frozen=True)
class Pseudonyms:
    """Names → pseudonyms under one key."""

    key: bytes

    @property
    def fingerprint(self) -> str:
        """What tells one key from another and does not give it away: it is 256 random bits."""
        return hashlib.sha256(self.key).hexdigest()[:16]

    def of(self, kind: str, name: str) -> str:
        """``speaker-k5xw2ojq7n3d`` of a speaker; ``kind`` keeps a session of the same name apart."""
        digest = hmac.new(self.key, f"{kind}\0{name}".encode(), hashlib.sha256).digest()
        return f"{kind}-{base64.b32encode(digest).decode().lower()[:_PSEUDONYM_CHARS]}"


def pseudonymise_corpus(folder: str | Path, out: str | Path, *, key: str | Path | None = None) -> EditSummary:
    """Give speakers and sessions other names, and utterances whose id holds such a name another id.

    Args:
        folder: the corpus.
        out: the new one.
        key: file of the key, outside both folders; made if it is not there. None takes a key that nobody keeps.

    Raises:
        ParlureError: a bad folder or corpus, or a key that cannot be used.
    """
    folder, out, key = Path(folder), Path(out), None if key is None else Path(key)
    check_new_folder(out, [folder])
    if key is not None:
        check_key_place(key, [folder, out])
    corpus = Corpus.load(folder)
    pseudonyms = Pseudonyms(secrets.token_bytes(_KEY_CHARS // 2) if key is None else _kept_key(key))
    names = _names(corpus.utterances)
    named_ids = mentions((u.id for u in corpus.utterances), names)
    kept = [_renamed(u, pseudonyms, new_id=u.id in named_ids) for u in corpus.utterances]
    arguments = {"key_fingerprint": None if key is None else pseudonyms.fingerprint}
    notes = [*_what_was_done(names, named_ids), *_what_remains(kept, names), _about_the_key(key)]
    facts = without_traces(corpus, names)
    return write_edit(Edit("pseudonymise", arguments, [corpus], kept, [], notes, facts, hides_paths=True), out)


def read_key(path: Path) -> Pseudonyms:
    """The pseudonyms under a key that was kept.

    Raises:
        ParlureError: there is no such file, or no key in it.
    """
    if not path.is_file():
        raise ParlureError(f"there is no key {path}", "the file that parlure corpus pseudonymise --key wrote")
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(text) != _KEY_CHARS or len(key) != _KEY_CHARS // 2:
        raise ParlureError(
            f"{path} holds no key of {_KEY_CHARS} hexadecimal digits",
            "name a file that is not there, and parlure makes one",
        )
    return Pseudonyms(key)


def check_key_place(key: Path, folders: Sequence[Path]) -> None:
    """See that a key does not lie in a corpus, with which it would be passed on.

    Raises:
        ParlureError: it does.
    """
    for folder in folders:
        if folder.resolve() in key.resolve().parents:
            raise ParlureError(
                f"the key {key} would lie in the corpus {folder}", "keep it elsewhere, where few can read it"
            )


def _kept_key(path: Path) -> bytes:
    """The key of a file, which is made, for its owner's eyes only, if it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(_KEY_CHARS // 2) + "\n")
    return read_key(path).key


def _names(utterances: Sequence[Utterance]) -> set[str]:
    """All speakers and sessions."""
    names = {name for u in utterances for name in (u.speaker, u.session)}
    names |= {segment.speaker for u in utterances for segment in u.segments or ()}
    return {name for name in names if name}


def _renamed(utterance: Utterance, pseudonyms: Pseudonyms, *, new_id: bool) -> Utterance:
    def other(kind: str, name: str | None) -> str | None:
        return None if name is None else pseudonyms.of(kind, name)

    changes: dict[str, Any] = {
        "speaker": other("speaker", utterance.speaker),
        "session": other("session", utterance.session),
    }
    if utterance.segments is not None:
        changes["segments"] = tuple(one._replace(speaker=other("speaker", one.speaker)) for one in utterance.segments)
    if new_id:
        changes["id"] = pseudonyms.of("utterance", utterance.id)
    return replace(utterance, **changes)


def _what_was_done(names: Collection[str], named_ids: Collection[str]) -> list[str]:
    done = [f"{len(names)} names of speakers and sessions were replaced"]
    return done + ([f"{len(named_ids)} ids held such a name and were replaced"] if named_ids else [])


def _what_remains(kept: Sequence[Utterance], names: Collection[str]) -> list[str]:
    """What still says who speaks, with counts and without the names."""
    places = (
        ("recordings' paths", sorted({u.recording for u in kept})),
        ("texts", [u.text for u in kept]),
        ("prompts", [u.prompt for u in kept if u.prompt]),
        ("tags", sorted({tag for u in kept for tag in u.tags})),
    )
    remains = ["what remains: the voices, and whatever the texts say of people"]
    for what, values in places:
        n = n_mentions(values, names)
        remains += [f"what remains: {n} {what} hold a name that was replaced"] if n else []
    return remains


def _about_the_key(key: Path | None) -> str:
    if key is None:
        return "no key was kept: nobody can say any more who is who, and the next corpus gets other pseudonyms"
    return f"the key is {key}: keep it apart from the corpus; who has both can say who is who"
