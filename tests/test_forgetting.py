"""A person is out of the corpus: utterances, phrases of windows, prompts, copies of the voice; no line names them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_corpora import ids, make_corpus, noise, rejected, said

from parlure import cli
from parlure.corpus.editing.filtering import filter_corpus
from parlure.corpus.editing.forgetting import forget_speaker
from parlure.corpus.editing.pseudonyms import pseudonymise_corpus
from parlure.corpus.manifest import Corpus, Segment, Utterance, begin_corpus
from parlure.errors import ParlureError

NAME = "Zoé Gagnon"


def phrase(start: float, end: float, text: str, speaker: str | None) -> Segment:
    return Segment(start, end, text, speaker)


def forgotten(tmp_path: Path, *utterances: Utterance, **info) -> tuple[Corpus, tuple[str, ...]]:
    """The corpus without her, and what was said of it; its name is nowhere in what was written."""
    folder = make_corpus(tmp_path / "corpus", *utterances, **info)
    summary = forget_speaker(folder, tmp_path / "out", speakers=[NAME])
    for name in ("manifest.jsonl", "rejected.jsonl", "corpus.json"):
        assert "gagnon" not in (tmp_path / "out" / name).read_text(encoding="utf-8").casefold(), name
    assert summary.n_kept + summary.n_left_out == summary.n_read == len(utterances)
    return Corpus.load(tmp_path / "out"), summary.notes


LAST_NOTE = (
    "not reached: the corpus that was read (remove its folder), other corpora made of it, models trained on it, "
    "reports, transcripts and backups"
)


def test_her_utterances_go_and_the_record_does_not_name_her(tmp_path: Path) -> None:
    others = [said("b", speaker="luc", recording="/c/b.wav"), said("c", recording="/c/c.wav")]
    corpus, notes = forgotten(
        tmp_path,
        said("gagnon-1", "mon numéro", speaker=NAME, recording="/c/zoe.wav"),
        *others,
        warnings=[f"the speaker {NAME} is in 2 of 2 sessions"],
        sources=[{"path": "gagnon.csv", "sha256": "0", "sha256_of": "content"}, {"path": "zoé_gagnon/", "sha256": "1"}],
    )
    assert corpus.utterances == tuple(others)
    sentence = "said by somebody who is to be forgotten"
    line = {"source": "manifest.jsonl", "line": 1, "reason": "forgotten", "sentence": sentence, "row": {}}
    assert rejected(tmp_path / "out") == [line]
    assert corpus.info["edit"]["arguments"] == {"n_speakers": 1}
    assert "path" not in corpus.info["edit"]["inputs"][0]
    assert notes == ("not reached: 1 recordings outside the corpus, which are listed", LAST_NOTE)


def test_a_window_is_cut_around_her_phrases(tmp_path: Path) -> None:
    window = said(
        "w", "un deux moi trois quatre moi cinq", start=10, end=20, recording="/c/w.wav", prompt="avant",
        segments=(
            phrase(0, 1, "un", "luc"), phrase(1, 2, " deux ", "ève"), phrase(2, 3, "moi", NAME),
            phrase(3, 4, "trois", "luc"), phrase(4.5, 5.5, "quatre", "ève"), phrase(5, 6, "moi encore", NAME),
            phrase(7, 8.5, "cinq", None),
        ),
    )  # fmt: skip
    taken = said("w-1", recording="/c/x.wav")
    corpus, notes = forgotten(tmp_path, window, taken, said("w9", speaker="luc", recording="/c/y.wav"))
    first, second, third = corpus.utterances[:3]
    assert [u.id for u in corpus.utterances] == ["w-1-", "w-2", "w-3", "w-1", "w9"]
    assert [(u.start, u.end, u.text, u.speaker, u.prompt) for u in (first, second, third)] == [
        (10.0, 12.0, "un deux", None, "avant"),
        (13.0, 14.0, "trois", "luc", None),  # quatre is said while she speaks: it goes too
        (17.0, 18.5, "cinq", None, None),
    ]
    assert first.segments == (phrase(0, 1, "un", "luc"), phrase(1, 2, " deux ", "ève"))
    assert third.segments == (phrase(0, 1.5, "cinq", None),)
    assert notes[0] == "1 windows were cut around their phrases"
    assert corpus.info["n_used"] == 3
    assert corpus.info["n_utterances"] == 5


def test_a_window_in_which_she_is_always_heard_goes_whole(tmp_path: Path) -> None:
    window = said("w", "moi oui", segments=(phrase(0, 2, "moi", NAME), phrase(0.5, 1, "oui", "luc")))
    corpus, _ = forgotten(tmp_path, window, said("b"))
    assert [u.id for u in corpus.utterances] == ["b"]
    assert rejected(tmp_path / "out")[0]["line"] == 1


def test_prompts_that_quote_her_are_dropped_in_the_same_call_only(tmp_path: Path) -> None:
    place = {"recording": "/c/7.wav", "session": "7"}
    corpus, notes = forgotten(
        tmp_path,
        said("1", "Mon code est le mille deux cents, oui.", speaker=NAME, **place),
        said("2", prompt="bonjour. mon CODE est le mille", start=2, end=4, speaker="luc", **place),
        said("3", prompt="le code est mille", start=4, end=6, speaker="luc", **place),
        said("4", prompt="mon code est le mille", recording="/c/8.wav", session="7"),
        said("5", prompt="mon code est le mille", recording="/c/9.wav", session="9"),
        said("6", "Allô", speaker=NAME, start=7, end=8, **place),
        said("7", prompt="allô", start=8, end=9, speaker="luc", **place),
    )
    assert {u.id: u.prompt is not None for u in corpus.utterances} == {
        "2": False, "3": True, "4": False, "5": True, "7": False,
    }  # fmt: skip
    assert notes[0] == "3 prompts of others quoted them and were dropped"


def test_copies_of_her_voice_are_left_behind(tmp_path: Path) -> None:
    begin_corpus(tmp_path / "corpus")
    audio = tmp_path / "corpus" / "audio"
    hers, his, shared = (
        noise(audio / name, 3.0, seed) for seed, name in enumerate(("zoe.flac", "luc.flac", "both.flac"))
    )
    corpus, _ = forgotten(
        tmp_path,
        said("1", speaker=NAME, recording=str(hers)),
        said("2", speaker="luc", recording=str(his), start=0.5, end=2.5),
        said("3", speaker=NAME, recording=str(shared), end=1.0),
        said("4", speaker="luc", recording=str(shared), start=1.5, end=2.75),
    )
    copied, cut = corpus.utterances
    out = (tmp_path / "out" / "audio").resolve()
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.flac")) == ["luc.flac", "spans/4.flac"]
    assert (Path(copied.recording), copied.start, copied.end) == (out / "luc.flac", 0.5, 2.5)
    assert (out / "luc.flac").read_bytes() == his.read_bytes()
    assert (Path(cut.recording), cut.start, cut.end) == (out / "spans" / "4.flac", 0.0, 1.25)
    there, here = soundfile.read(shared, start=24_000, stop=44_000)[0], soundfile.read(cut.recording)[0]
    assert np.abs(there - here).max() < 1e-4


def test_what_is_not_reached_is_said(tmp_path: Path) -> None:
    folder = make_corpus(
        tmp_path / "corpus",
        said("1", "moi", speaker=NAME, recording="/c/1.wav", end=4.0),
        said(
            "2", "merci zoé gagnon", speaker="luc", recording="/c/1.wav", start=3.0, end=5.0, tags=("with=zoé gagnon",)
        ),
        said("3", speaker="luc", recording="/c/1.wav", start=4.0, end=5.0, session="zoé-gagnon 1"),
        said("zoé_gagnon-4", speaker="luc", recording="/c/1.wav", start=3.5, end=5.0),
        said("5", speaker="luc", recording="/c/zoé gagnon/2.wav"),
        said("6", speaker=NAME, recording="/c/3.wav", channel=0, session="z"),
        said("7", speaker="luc", recording="/c/3.wav", channel=1, session="z"),
    )
    summary = forget_speaker(folder, tmp_path / "out", speakers=[NAME])
    assert summary.notes == (
        "1 utterances of others are at the same time in the same recording: listen whether the voice is in them (their "
        "ids are in corpus.json, may_hold_the_voice)",
        "1 ids of others hold the name and were left as they are",
        "1 sessions of others hold the name and were left as they are",
        "1 recordings' paths of others hold the name and were left as they are",
        "1 texts of others hold the name and were left as they are",
        "1 tags of others hold the name and were left as they are",
        "not reached: 2 recordings outside the corpus, which are listed",
        LAST_NOTE,
    )
    assert Corpus.load(tmp_path / "out").info["may_hold_the_voice"] == ["2"]
    assert summary.recordings == ("/c/1.wav", "/c/3.wav")
    for name in ("rejected.jsonl", "corpus.json"):
        assert "gagnon" not in (tmp_path / "out" / name).read_text(encoding="utf-8").casefold()


def test_names_that_nobody_has(tmp_path: Path) -> None:
    folder = make_corpus(tmp_path / "corpus", said("1", speaker=NAME), said("2", speaker="luc"))
    key = tmp_path / "key"
    pseudonymise_corpus(folder, tmp_path / "pseudo", key=key)
    for source, speakers, with_key, message, hint in (
        (folder, ["Zoe Gagnon"], None, "no speaker of the corpus is called Zoe Gagnon", f"did you mean {NAME}"),
        (
            folder, ["x"], None, "no speaker of the corpus is called x",
            "parlure corpus stats CORPUS --json lists the speakers",
        ),
        (
            tmp_path / "pseudo", ["Zoe Gagnon"], key, "no speaker has the pseudonym of that name under this key",
            "see how the name was spelt, and which key it was",
        ),
        (
            tmp_path / "pseudo", [NAME], tmp_path / "lost", f"there is no key {tmp_path / 'lost'}",
            "the file that parlure corpus pseudonymise --key wrote",
        ),
        (
            folder, [NAME, "luc"], None, "nothing would be left of the corpus",
            "parlure corpus stats CORPUS shows what it holds",
        ),
    ):  # fmt: skip
        with pytest.raises(ParlureError) as error:
            forget_speaker(source, tmp_path / "out", speakers=speakers, key=with_key)
        assert (error.value.message, error.value.hint) == (message, hint)
    assert not (tmp_path / "out").exists()


def test_a_pseudonymised_person_is_found_by_the_key(tmp_path: Path) -> None:
    folder = make_corpus(tmp_path / "corpus", said("1", speaker=NAME), said("2", speaker="luc"))
    key = tmp_path / "key"
    filter_corpus(folder, tmp_path / "some", keep=f'speaker == "{NAME}" or n_words > 0')
    pseudonymise_corpus(tmp_path / "some", tmp_path / "pseudo", key=key)
    forget_speaker(tmp_path / "pseudo", tmp_path / "out", speakers=[NAME], key=key)
    assert ids(tmp_path / "out") == ["2"]
    assert "agnon" not in (tmp_path / "out" / "corpus.json").read_text(encoding="utf-8")


def test_at_the_command_line_stdout_lists_what_still_holds_the_voice(tmp_path: Path, capsys) -> None:
    folder = make_corpus(tmp_path / "corpus", said("1", speaker=NAME), said("2", speaker="luc"))
    assert cli.run(["corpus", "forget", str(folder), "--speaker", NAME, "--out", str(tmp_path / "out")]) == 0
    captured = capsys.readouterr()
    assert captured.out == "/calls/1.wav\n"
    assert captured.err.splitlines()[0].endswith("1 left out (1 forgotten): rejected.jsonl says why")
