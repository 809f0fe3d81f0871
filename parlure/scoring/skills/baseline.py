"""Corpus + untuned models → what each makes of it, at what price: what the command ``parlure baseline`` does.

The first step of every project, before anything is trained: a model may do as it is, or with another setting.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError
from parlure.exclusive import alone_in
from parlure.scoring.baseline import LINES, PAGE, TABLE, baseline_table
from parlure.scoring.deciding import WORTH_POINTS
from parlure.scoring.formats import guess_format
from parlure.scoring.normalize import get_profile, headline_profile, profile_hash
from parlure.scoring.page.baseline import baseline_page
from parlure.scoring.score import read_hypotheses
from parlure.scoring.skills.evaluation import Advance, Decoded, write_hypotheses
from parlure.scoring.skills.exam import decodable
from parlure.scoring.skills.listening import Ear, questions_of
from parlure.scoring.skills.provenance import data_of
from parlure.scoring.utterances import ScoredUtterance, score_utterances, utterance_to_json
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.engines.interface import Engine, EngineName
from parlure.transcribing.engines.with_pipeline import is_for_pipeline
from parlure.transcribing.engines.without_pauses import WithoutPauses
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.journal import Journal
from parlure.whisper.conversion import Quantization
from parlure.whisper.load import is_ctranslate2, locate, model_type

ALSO = ("vad", "language", "beam")  # what can be tried beside the plain setting, one at a time
_BEAMS = 5  # openai/whisper's and faster-whisper's own default


@dataclass(frozen=True)
class Setting:
    """One way to decode.

    Attributes:
        name: what stands behind the model's; empty for the plain one: greedy, the language pinned.
        options: how.
        is_open: the language is left to the model.
        has_vad: pauses are cut out first.
    """

    name: str
    options: DecodingOptions
    is_open: bool = False
    has_vad: bool = False

    @property
    def is_for_all(self) -> bool:
        """Whether it is for models other than Whisper too."""
        return not self.name or self.has_vad


@dataclass
class _Heard:
    """What all systems have said, what each is, and the journals that keep it until it is written."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    decoded: dict[str, Decoded] = field(default_factory=dict)
    systems: dict[str, dict[str, Any]] = field(default_factory=dict)
    journals: list[Journal] = field(default_factory=list)


def baseline(
    corpus: str | Path,
    models: Sequence[str],
    out: str | Path,
    *,
    split: str = "test",
    also: Sequence[str] = (),
    prompt: str | None = None,
    texts: Sequence[str] = (),
    floor: str | Path | None = None,
    price_per_hour: float | None = None,
    worth: float = WORTH_POINTS,
    batch_size: int = 16,
    engine: EngineName | None = None,
    quantize: Quantization | None = None,
    progress: Advance = None,
) -> dict[str, Any]:
    """Decode a split with untuned models in several ways; interrupted or killed, the next call goes on.

    Args:
        corpus: a corpus folder.
        models: MODELs, and models of other kinds (:mod:`parlure.transcribing.engines.with_pipeline`).
        out: the folder to make: ``baseline.json``, ``baseline.html``, ``utterances.jsonl``, ``hypotheses/``.
        split: ``train``, ``dev`` or ``test``; what is to be translated is left out.
        also: of :data:`ALSO`, each tried with every Whisper, and vad with every model, beside the plain setting.
        prompt: a text before every clip, as one more setting of every Whisper.
        texts: ``NAME=FILE``, transcripts of the same utterances made elsewhere, in a format of
            :mod:`parlure.scoring.formats`; no time or price is known of them.
        floor: a second person's transcript of the utterances or some of them, in such a format.
        price_per_hour: of this machine, in whatever currency.
        worth: points of WER below which a gain is not worth a tuning.
        batch_size: 30 s windows decoded together; never changes a hypothesis.
        engine: which library decodes Whispers; None is torch, or CTranslate2 for its own folders.
        quantize: the numbers CTranslate2 multiplies.
        progress: called with (clips done, clips to do), over all models and settings.

    Returns:
        The content of ``baseline.json``.

    Raises:
        ParlureError: a model, setting or file cannot be used; all are looked at before anything is decoded.
    """
    corpus, out = Path(corpus), Path(out)
    chosen = decodable(Corpus.load(corpus), split)
    utterances = tuple(u for u in chosen if u.task == "transcribe")
    if not utterances:
        raise ParlureError(f"{corpus} has nothing to transcribe in its {split} split", "choose another --split")
    settings, warnings = settings_of(also, prompt, batch_size), []
    if n_left := len(chosen) - len(utterances):
        warnings.append(f"{n_left} utterances that are to be translated were left out.")
    if not models and not texts:
        raise ParlureError(
            "there is no model to try", "for example --models openai/whisper-small,openai/whisper-medium"
        )
    if twice := [name for name, n in Counter(models).items() if n > 1]:
        raise ParlureError(f"the model {twice[0]} is named twice", "name each once; --also tries settings")
    others = {model for model in models if _is_other(model)}
    if others and len(settings) > 1 and (whispers_only := [s.name for s in settings if not s.is_for_all]):
        warnings.append(f"Not tried with {', '.join(sorted(others))}, no Whisper: {', '.join(whispers_only)}.")
    elsewhere = {name: _read_all(path, utterances) for name, path in _named(texts, models)}
    second = None if floor is None else _read(Path(floor), utterances)
    todo = [(model, s) for model in models for s in settings if s.is_for_all or model not in others]
    with alone_in(out):
        heard = _listen(utterances, todo, others, out, engine, quantize, progress)
        for name, own in elsewhere.items():
            heard.texts[name] = [own[u.id] for u in utterances]
            heard.systems[name] = dict.fromkeys(("hash", "decode", "n_parameters", "n_bytes")) | {
                "model": name, "setting": "texts",
            }  # fmt: skip
        profile = headline_profile(Counter(u.language for u in utterances).most_common(1)[0][0])
        scored = score_utterances(_rows(utterances, heard.texts), [profile])
        table = baseline_table(
            scored, heard.systems, profile, second=second, price_per_hour=price_per_hour, worth=worth
        )
        table |= {
            "normalizer": {"version": get_profile(profile).version, "hash": profile_hash(profile)},
            "data": data_of(corpus, split, utterances),
            "warnings": warnings + table["warnings"],
        }
        _write(out, scored, table, heard)
    return table


def settings_of(also: Sequence[str], prompt: str | None, batch_size: int = 16) -> list[Setting]:
    """The plain setting, and each that is asked for, which differs from it in one thing.

    Raises:
        ParlureError: there is no such setting.
    """
    if unknown := [name for name in also if name not in ALSO]:
        raise ParlureError(f"there is no setting called {unknown[0]}", f"--also takes {', '.join(ALSO)}")
    plain = DecodingOptions(batch_size=batch_size)
    found = [Setting("", plain)]
    for name in dict.fromkeys(also):
        if name == "vad":
            found.append(Setting("vad", plain, has_vad=True))
        elif name == "language":
            found.append(Setting("language left open", plain, is_open=True))
        else:
            found.append(Setting(f"beam {_BEAMS}", replace(plain, beam_size=_BEAMS)))
    return found + ([Setting("prompt", replace(plain, prompt=prompt))] if prompt else [])


def _is_other(model: str) -> bool:
    """Whether a model is no Whisper.

    Raises:
        ParlureError: it does not exist, or is of a kind that nothing here runs.
    """
    if is_ctranslate2(model):
        return False
    source, adapter = locate(model)
    if is_for_pipeline(model):
        return True
    if adapter is None and (kind := model_type(source)) != "whisper":
        raise ParlureError(
            f"{model} is a {kind} model, which transcribes nothing", "name a Whisper, wav2vec2, Parakeet or Moonshine"
        )
    return False


def _named(texts: Sequence[str], models: Sequence[str]) -> list[tuple[str, Path]]:
    found: dict[str, Path] = {}
    for one in texts:
        name, equals, path = one.partition("=")
        if not (equals and name and path):
            raise ParlureError(f"--texts {one} is not NAME=FILE", "for example --texts cloud=cloud.jsonl")
        if name in found or name in models:
            raise ParlureError(f"two systems are called {name}", "give each a name of its own")
        found[name] = Path(path)
    return list(found.items())


def _read(path: Path, utterances: Sequence[Utterance]) -> dict[str, str]:
    """Texts of utterances of the split by id; those of other ids are not needed.

    Raises:
        ParlureError: the file cannot be read, or is of none of the utterances.
    """
    found, _ = read_hypotheses(path, guess_format(path), {}, "jsonl")
    ids = {u.id for u in utterances}
    own = {id_: text for id_, text in found.items() if id_ in ids}
    if not own:
        raise ParlureError(
            f"{path} has none of the {len(ids)} utterances of the split",
            "its ids must be those of the corpus's manifest",
        )
    return own


def _read_all(path: Path, utterances: Sequence[Utterance]) -> dict[str, str]:
    found = _read(path, utterances)
    if missing := [u.id for u in utterances if u.id not in found]:
        raise ParlureError(
            f"{path} lacks {len(missing)} of {len(utterances)} utterances, {missing[0]} the first",
            "every system must have transcribed every utterance: an empty text where it heard nothing",
        )
    return found


def _listen(
    utterances: Sequence[Utterance],
    todo: Sequence[tuple[str, Setting]],
    others: set[str],
    out: Path,
    engine: EngineName | None,
    quantize: Quantization | None,
    progress: Advance,
) -> _Heard:
    heard, n_done, n_total = _Heard(), 0, len(utterances) * len(todo)

    def tick(n_clips: int) -> None:
        nonlocal n_done
        n_done += n_clips
        if progress and n_clips:
            progress(n_done, n_total)

    for model in dict.fromkeys(model for model, _ in todo):  # one is out of memory before the next comes in
        opened = open_engine(model) if model in others else open_engine(model, engine, quantize)
        for setting in (own for name, own in todo if name == model):
            _ask(heard, opened, model, setting, utterances, out, tick)
    return heard


def _ask(
    heard: _Heard,
    opened: Engine,
    model: str,
    setting: Setting,
    utterances: Sequence[Utterance],
    out: Path,
    tick: Callable[[int], None],
) -> None:
    """One model in one setting."""
    name = f"{model} + {setting.name}" if setting.name else model
    asked: Engine = WithoutPauses(opened) if setting.has_vad else opened
    ear = Ear(asked, out, _file_name(name), setting.options, tick)
    questions = [replace(q, language=None) if setting.is_open else q for q in questions_of(utterances)]
    found: list[Hypothesis] = ear.hear("utterances", questions)
    about = ear.description("full", sum(u.duration_s for u in utterances))
    if setting.is_open:
        about["decode"]["language"] = "left to the model"
    heard.texts[name] = [one.text for one in found]
    heard.decoded[name] = Decoded(tuple(found), about)
    sizes = {"n_parameters": opened.n_parameters, "n_bytes": opened.n_bytes}
    heard.systems[name] = about | {"setting": setting.name or "plain"} | sizes
    heard.journals += ear.journals


def _file_name(system: str) -> str:
    """Of a system, fit for a file: models that only signs tell apart are told apart by what follows."""
    plain = re.sub(r"[^\w.-]+", "-", system).strip("-.")[-60:]
    return f"{plain}-{hashlib.sha256(system.encode()).hexdigest()[:6]}"


def _rows(utterances: Sequence[Utterance], texts: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [
        {
            "id": utterance.id,
            "speaker": utterance.speaker,
            "session": utterance.session,
            "duration_s": round(utterance.duration_s, 3),
            "language": utterance.language,
            "task": utterance.task,
            "tags": list(utterance.tags),
            "reference": utterance.text,
            "hypotheses": {name: own[index] for name, own in texts.items()},
        }
        for index, utterance in enumerate(utterances)
    ]


def _write(out: Path, scored: Sequence[ScoredUtterance], table: Mapping[str, Any], heard: _Heard) -> None:
    """Everything, ``baseline.json`` last; then the journals may go."""
    lines = (json.dumps(utterance_to_json(one), ensure_ascii=False) + "\n" for one in scored)
    (out / LINES).write_text("".join(lines), encoding="utf-8")
    (out / PAGE).write_text(baseline_page(scored, table), encoding="utf-8")
    for name, decoded in heard.decoded.items():
        write_hypotheses(out / "hypotheses" / _file_name(name), decoded)
    numbers = json.dumps(table, ensure_ascii=False, indent=2, allow_nan=False)
    (out / TABLE).write_text(numbers + "\n", encoding="utf-8")
    for journal in heard.journals:
        journal.remove()
