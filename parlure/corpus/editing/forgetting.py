"""A corpus → the same one without a person: what they said, where others' lines quote it, and copies of their voice.

- Utterances of theirs are left out. A window in which they are one of several (``segments`` with speakers) is cut into
  the pieces between their phrases; a phrase of somebody else at the same time as one of theirs goes too.
- A prompt (the text before) is dropped where it has as many as four words in a row in common with what they said in the
  same recording or session; fewer if they said fewer.
- Recordings in the corpus's own folder are copied into the new one: those of others whole, of shared ones the spans of
  others alone. Recordings elsewhere are not touched; they are listed.

What is written of it (``corpus.json``, ``rejected.jsonl``) says how much was left out and never of whom.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from parlure.corpus.editing.edited import (
    Edit,
    EditSummary,
    check_new_folder,
    check_something_left,
    finish_edit,
    new_corpus,
)
from parlure.corpus.editing.pseudonyms import read_key
from parlure.corpus.editing.traces import mentions, n_mentions, plain_words, without_traces, words_of
from parlure.corpus.manifest import MANIFEST, Corpus, Segment, Utterance
from parlure.corpus.readers.row import Rejected
from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, read_audio, write_audio

_QUOTED_WORDS = 4  # in a row: as many are hardly said twice by chance


def forget_speaker(
    folder: str | Path, out: str | Path, *, speakers: Sequence[str], key: str | Path | None = None
) -> EditSummary:
    """Leave a person out.

    Args:
        folder: the corpus.
        out: the new one.
        speakers: the person's names in the corpus, exactly; more than one if they have several.
        key: of a pseudonymised corpus: the file with which their name becomes the pseudonym.

    Returns:
        What was done; its ``recordings`` still hold the person's voice.

    Raises:
        ParlureError: nobody is called so, nothing is left, or a bad folder, key or corpus.
    """
    folder, out = Path(folder), Path(out)
    check_new_folder(out, [folder])
    names = set(speakers) if key is None else {read_key(Path(key)).of("speaker", name) for name in speakers}
    corpus = Corpus.load(folder)
    _check_known(corpus.utterances, names, with_key=key is not None)
    parting = _part(corpus.utterances, names)
    check_something_left(parting.kept)
    everyone = {*names, *speakers}
    with new_corpus(out):
        kept = _own_recordings(parting, folder.resolve(), out.resolve())
        edit = Edit(
            "forget",
            {"n_speakers": len(names)},
            [corpus],
            kept,
            [
                Rejected(MANIFEST, i + 1, {}, "forgotten", "said by somebody who is to be forgotten")
                for i in parting.gone
            ],
            _notes(parting, kept, everyone, folder),
            {**without_traces(corpus, everyone), "may_hold_the_voice": _overlapping(parting, kept, everyone)},
            hides_paths=True,
        )
        return replace(finish_edit(edit, out), recordings=tuple(sorted(parting.places)))


@dataclass
class _Parting:
    """What stays and what goes.

    Attributes:
        kept: others' utterances and pieces.
        gone: positions of the utterances of which nothing stays.
        places: spans (s) of each recording in which the person speaks, with the channel.
        said: runs of words that they said, by recording and by session.
        n_cut: windows that were cut into pieces.
        n_prompts: prompts that were dropped.
    """

    kept: list[Utterance] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    places: dict[str, list[tuple[float, float, int | None]]] = field(default_factory=lambda: defaultdict(list))
    said: dict[str, set[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(set))
    n_cut: int = 0
    n_prompts: int = 0

    def add(self, utterance: Utterance, start: float, end: float, text: str) -> None:
        """Note what the person said, times in seconds from the utterance's start."""
        span = (utterance.start + start, utterance.start + end, utterance.channel)
        self.places[utterance.recording].append(span)
        for place in _places(utterance):
            self.said[place].update(_runs(plain_words(text)))


def _part(utterances: Sequence[Utterance], names: Collection[str]) -> _Parting:
    parting = _Parting()
    ids = {utterance.id for utterance in utterances}
    stays: list[Utterance] = []
    for position, utterance in enumerate(utterances):
        theirs = [one for one in utterance.segments or () if one.speaker in names]
        if utterance.speaker in names:
            parting.add(utterance, 0.0, utterance.duration_s, utterance.text)
            parting.gone.append(position)
        elif theirs:
            for phrase in theirs:
                parting.add(utterance, phrase.start, phrase.end, phrase.text)
            pieces = _pieces(utterance, theirs, ids)
            stays += pieces
            parting.n_cut += bool(pieces)
            parting.gone += [] if pieces else [position]
        else:
            stays.append(utterance)
    for utterance in stays:
        quotes = utterance.prompt is not None and _quotes(utterance, parting)
        parting.n_prompts += quotes
        parting.kept.append(replace(utterance, prompt=None) if quotes else utterance)
    return parting


def _pieces(utterance: Utterance, theirs: Sequence[Segment], ids: set[str]) -> list[Utterance]:
    """The window's phrases between the person's, each run of them an utterance."""
    runs: list[list[Segment]] = [[]]
    for phrase in sorted(utterance.segments or ()):
        if any(phrase.start < other.end and other.start < phrase.end for other in theirs):
            runs.append([])
        else:
            runs[-1].append(phrase)
    pieces: list[Utterance] = []
    for run in filter(None, runs):
        name = f"{utterance.id}-{len(pieces) + 1}"
        while name in ids:
            name += "-"
        ids.add(name)
        pieces.append(_piece(utterance, run, name, is_first=not pieces and run[0] == min(utterance.segments or ())))
    return pieces


def _piece(utterance: Utterance, run: Sequence[Segment], name: str, *, is_first: bool) -> Utterance:
    offset_s = run[0].start
    speakers = {phrase.speaker for phrase in run}
    return replace(
        utterance,
        id=name,
        start=round(utterance.start + offset_s, 6),
        end=round(utterance.start + max(phrase.end for phrase in run), 6),
        text=" ".join(phrase.text.strip() for phrase in run),
        speaker=speakers.pop() if len(speakers) == 1 else utterance.speaker,
        segments=tuple(
            one._replace(start=round(one.start - offset_s, 6), end=round(one.end - offset_s, 6)) for one in run
        ),
        prompt=utterance.prompt if is_first else None,  # before the others comes what is to be forgotten
    )


def _places(utterance: Utterance) -> list[str]:
    return [f"recording {utterance.recording}", *([f"session {utterance.session}"] if utterance.session else [])]


def _runs(words: Sequence[str], n: int | None = None) -> Iterable[tuple[str, ...]]:
    """All runs of four words; of a shorter text the whole."""
    n = min(_QUOTED_WORDS, len(words)) if n is None else n
    return (tuple(words[i : i + n]) for i in range(len(words) - n + 1)) if n else ()


def _quotes(utterance: Utterance, parting: _Parting) -> bool:
    said = set().union(*(parting.said.get(place, set()) for place in _places(utterance)))
    words = plain_words(utterance.prompt or "")
    return any(run in said for n in range(1, _QUOTED_WORDS + 1) for run in _runs(words, n))


def _own_recordings(parting: _Parting, folder: Path, out: Path) -> list[Utterance]:
    """The utterances, those in recordings of the old corpus's folder with copies in the new one."""
    kept = []
    for utterance in parting.kept:
        recording = Path(utterance.recording).resolve()
        if not recording.is_relative_to(folder):
            kept.append(utterance)
        elif utterance.recording in parting.places:
            kept.append(_cut_out(utterance, out))
        else:
            copy = out / recording.relative_to(folder)
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(recording, copy)
            kept.append(replace(utterance, recording=str(copy)))
    return kept


def _cut_out(utterance: Utterance, out: Path) -> Utterance:
    """The utterance's span alone, as a recording of the new corpus."""
    samples = read_audio(utterance.recording, utterance.start, utterance.end, utterance.channel)
    path = out / "audio" / "spans" / f"{utterance.id}.flac"
    write_audio(path, samples)
    return replace(utterance, recording=str(path), start=0.0, end=round(len(samples) / SAMPLE_RATE, 6), channel=None)


def _overlapping(parting: _Parting, kept: Sequence[Utterance], names: Collection[str]) -> list[str]:
    """Ids of others' utterances at the same time in the same recording, whose audio may hold the person's voice."""
    found = [
        after.id
        for before, after in zip(parting.kept, kept, strict=True)
        if any(
            start < before.end
            and before.start < end
            and (channel == before.channel or None in (channel, before.channel))
            for start, end, channel in parting.places.get(before.recording, ())
        )
    ]
    return sorted(set(found) - mentions(found, words_of(names)))


def _notes(parting: _Parting, kept: Sequence[Utterance], names: Collection[str], folder: Path) -> list[str]:
    """What was done and what was not, without a name in it."""
    notes = [f"{parting.n_cut} windows were cut around their phrases"] if parting.n_cut else []
    notes += [f"{parting.n_prompts} prompts of others quoted them and were dropped"] if parting.n_prompts else []
    n_overlapping = len(_overlapping(parting, kept, names))
    if n_overlapping:
        notes.append(
            f"{n_overlapping} utterances of others are at the same time in the same recording: listen whether the "
            "voice is in them (their ids are in corpus.json, may_hold_the_voice)"
        )
    for what, values in (
        ("ids", [u.id for u in kept]),
        ("sessions", [u.session for u in kept if u.session]),
        ("recordings' paths", sorted({u.recording for u in kept})),
        ("texts", [u.text for u in kept]),
        ("tags", [tag for u in kept for tag in u.tags]),
    ):
        n = n_mentions(values, names)
        notes += [f"{n} {what} of others hold the name and were left as they are"] if n else []
    outside = sum(not Path(place).resolve().is_relative_to(folder.resolve()) for place in parting.places)
    notes += [f"not reached: {outside} recordings outside the corpus, which are listed"] if outside else []
    notes.append(
        "not reached: the corpus that was read (remove its folder), other corpora made of it, models trained on it, "
        "reports, transcripts and backups"
    )
    return notes


def _check_known(utterances: Sequence[Utterance], names: Collection[str], *, with_key: bool) -> None:
    known = {name for u in utterances for name in (u.speaker, *(one.speaker for one in u.segments or ())) if name}
    for name in sorted(set(names) - known):
        if with_key:
            raise ParlureError(
                "no speaker has the pseudonym of that name under this key",
                "see how the name was spelt, and which key it was",
            )
        close = get_close_matches(name, known, n=3)
        hint = (
            f"did you mean {' or '.join(close)}" if close else "parlure corpus stats CORPUS --json lists the speakers"
        )
        raise ParlureError(f"no speaker of the corpus is called {name}", hint)
