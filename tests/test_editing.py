"""Filter, sample, count: what is kept, that the rest is listed, and that the same edit gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_corpora import ids, make_corpus, rejected, said

from parlure import cli
from parlure.corpus.editing.filtering import filter_corpus
from parlure.corpus.editing.sampling import sample_corpus
from parlure.corpus.editing.stats import corpus_stats, stats_table
from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.exclusive import alone_in


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Forty utterances of ten people: 80 s of train, 30 of dev, 40 of test."""
    people = [
        said(
            f"u{n:02d}",
            "oui bonjour" if n % 4 else "",
            end=1.0 + n % 4 + (n % 10 == 9),
            speaker=f"person {n % 10}",
            session=f"call {n % 10}" if n % 10 else None,
            split="dev" if n % 10 == 7 else "test" if n % 10 > 7 else "train",
            tags=(f"age={'old' if n % 2 else 'young'}", "noisy"),
        )
        for n in range(40)
    ]
    return make_corpus(tmp_path / "calls", *people, licence="CC-BY-4.0", sources=[{"path": "a.csv", "sha256": "0"}])


def test_what_is_kept_and_what_is_said_of_the_rest(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "filtered"
    summary = filter_corpus(corpus, out, keep='duration_s > 1 and tag.age == "old"')
    kept = ids(out)
    assert kept == [u.id for u in Corpus.load(corpus).utterances if u.duration_s > 1 and "age=old" in u.tags]
    lines = rejected(out)
    assert (summary.n_read, summary.n_kept, summary.n_left_out) == (40, len(kept), len(lines)) == (40, 20, 20)
    assert sorted(kept + [line["row"]["id"] for line in lines]) == ids(corpus)
    assert lines[0] == {
        "source": str(corpus / "manifest.jsonl"),
        "line": 1,
        "reason": "filtered",
        "sentence": "duration_s > 1 does not hold: duration_s is 1",
        "row": json.loads((corpus / "manifest.jsonl").read_text().splitlines()[0]),
    }
    info = Corpus.load(out).info
    manifest = hashlib.sha256((corpus / "manifest.jsonl").read_bytes()).hexdigest()
    before = {"utterances": 40, "hours": 0.028889, "by_split": {"train": 28, "dev": 4, "test": 8}}
    after = {"utterances": 20, "hours": info["hours"], "by_split": {"train": 12, "dev": 4, "test": 4}}
    assert info["edit"] == {
        "operation": "filter",
        "arguments": {"keep": 'duration_s > 1 and tag.age == "old"'},
        "inputs": [{"path": str(corpus), "manifest_sha256": manifest, **before}],
        "before": before,
        "after": after,
    }
    assert (info["n_read"], info["n_used"], info["rejected"]) == (40, 20, {"total": 20, "filtered": 20})
    assert (info["licence"], info["sources"]) == ("CC-BY-4.0", [{"path": "a.csv", "sha256": "0"}])
    assert info["by_split"]["train"]["utterances"] == 12
    assert summary.lines()[0] == (
        f"{out}: 20 of 40 utterances, 0.02 of 0.03 h; 20 left out (20 filtered): rejected.jsonl says why"
    )


def test_the_same_edit_gives_the_same_bytes_and_edits_are_remembered(corpus: Path, tmp_path: Path) -> None:
    for out in ("first", "second"):
        filter_corpus(corpus, tmp_path / out, keep="duration_s > 1")
        sample_corpus(tmp_path / out, tmp_path / f"{out} sample", count=5)
    for name in ("manifest.jsonl", "rejected.jsonl", "corpus.json"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    info = Corpus.load(tmp_path / "first sample").info
    assert [edit["operation"] for edit in info["earlier_edits"]] == ["filter"]
    assert info["edit"]["operation"] == "sample"
    assert info["edit"]["arguments"] == {"utterances": 5, "by": "utterance", "split": None, "seed": 1}


def test_a_split_that_is_emptied_is_named(corpus: Path, tmp_path: Path) -> None:
    summary = filter_corpus(corpus, tmp_path / "out", keep='split == "train"')
    assert summary.notes == ("nothing is left of the split dev", "nothing is left of the split test")


def test_a_corpus_that_needs_another_folder_says_so(tmp_path: Path) -> None:
    audio = tmp_path / "calls" / "audio"
    corpus = make_corpus(tmp_path / "calls", said("a", recording=str(audio / "a.flac")), said("b"))
    summary = filter_corpus(corpus, tmp_path / "out", keep="duration_s > 0")
    assert summary.notes == ("1 of its recordings lie in the folder that was read: keep it",)
    assert '"recording": "../calls/audio/a.flac"' in (tmp_path / "out" / "manifest.jsonl").read_text()


def test_no_corpus_is_changed_in_place(corpus: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in corpus.iterdir()}
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "a.txt").write_text("years of work")
    make_corpus(tmp_path / "other", said("a"))
    for out, message, hint in (
        (
            corpus,
            f"{corpus} is the corpus that is read, and no corpus is changed in place",
            "name a new folder: what was left out can then be looked at, and taken back",
        ),
        (corpus / "part", f"{corpus / 'part'} lies in the corpus that is read", "name a folder beside it"),
        (
            tmp_path / "thesis",
            f"{tmp_path / 'thesis'} is not empty and not a corpus",
            "name a new folder: --out corpus",
        ),
        (
            tmp_path / "other",
            f"{tmp_path / 'other'} is a corpus already, and an edit writes a new one",
            "name a new folder, or remove it",
        ),
    ):
        with pytest.raises(ParlureError) as error:
            filter_corpus(corpus, out, keep="duration_s > 0")
        assert (error.value.message, error.value.hint) == (message, hint)
    assert {path: path.read_bytes() for path in corpus.iterdir()} == before


def test_nothing_left_is_no_corpus(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(ParlureError) as error:
        filter_corpus(corpus, tmp_path / "out", keep="duration_s > 100")
    assert error.value.message == "nothing would be left of the corpus"
    assert error.value.hint == "parlure corpus stats CORPUS shows what it holds"
    assert not (tmp_path / "out").exists()


def test_an_edit_that_was_stopped_is_made_again(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "corpus.json.partial").write_text("{}")
    (out / "manifest.jsonl").write_text("half")
    with alone_in(out), pytest.raises(ParlureError, match="another process is writing"):
        filter_corpus(corpus, out, keep="duration_s > 1")
    filter_corpus(corpus, out, keep="duration_s > 1")
    assert len(ids(out)) == 30


sizes = st.lists(
    st.tuples(st.sampled_from(["train", "dev", "test"]), st.floats(0.5, 30), st.integers(0, 5)), min_size=1, max_size=40
)


@settings(max_examples=25, deadline=None)
@given(sizes, st.integers(0, 99), st.randoms(use_true_random=False), st.data())
def test_a_sample_keeps_shares_grows_and_knows_no_order(tmp_path_factory, rows, seed, shuffler, data) -> None:
    folder = tmp_path_factory.mktemp("sample")
    made = [said(f"u{n}", end=end, split=split, speaker=f"p{who}") for n, (split, end, who) in enumerate(rows)]
    corpus = make_corpus(folder / "corpus", *made)
    shuffled = make_corpus(folder / "shuffled", *shuffler.sample(made, len(made)))
    fewer, more = sorted(data.draw(st.tuples(*[st.integers(1, len(rows))] * 2)))
    sample_corpus(corpus, folder / "fewer", count=fewer, seed=seed)
    sample_corpus(corpus, folder / "more", count=more, seed=seed)
    sample_corpus(shuffled, folder / "again", count=fewer, seed=seed)
    assert len(ids(folder / "fewer")) == fewer
    assert set(ids(folder / "fewer")) == set(ids(folder / "again")) <= set(ids(folder / "more"))
    assert ids(folder / "fewer") == [name for name in ids(corpus) if name in ids(folder / "fewer")]
    of_split = Counter(split for split, _, _ in rows)
    drawn = Counter(u.split for u in Corpus.load(folder / "fewer").utterances)
    assert all(abs(drawn[split] - fewer * n / len(rows)) <= 1.5 for split, n in of_split.items())


def test_hours_of_one_split_by_whole_speakers(corpus: Path, tmp_path: Path) -> None:
    before = Corpus.load(corpus)
    summary = sample_corpus(corpus, tmp_path / "out", hours=30 / 3600, by="speaker", split="train", seed=3)
    after = Corpus.load(tmp_path / "out")
    assert after.select("dev") == before.select("dev")
    assert after.select("test") == before.select("test")
    seconds = sum(u.duration_s for u in after.select("train"))
    assert 15 < seconds < 45
    for speaker in {u.speaker for u in after.select("train")}:
        assert [u for u in after.utterances if u.speaker == speaker] == [
            u for u in before.utterances if u.speaker == speaker
        ]
    assert all(line["reason"] == "not_sampled" for line in rejected(tmp_path / "out"))
    assert rejected(tmp_path / "out")[0]["sentence"] == "not drawn with seed 3"
    assert all(
        re.fullmatch(r"0.0\d+ hours drawn of the 0.00833333 asked for: speakers are taken whole", note)
        for note in summary.notes
    )
    assert ids(tmp_path / "out") != ids(corpus)


def test_another_seed_draws_others_and_unknown_sessions_are_alone(corpus: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        sample_corpus(corpus, tmp_path / f"{seed}", count=12, by="session", seed=seed)
    assert ids(tmp_path / "1") != ids(tmp_path / "2")
    for folder in ("1", "2"):
        whole = Counter(u.session for u in Corpus.load(tmp_path / folder).utterances if u.session)
        assert set(whole.values()) == {4}


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({}, "a sample is of so many hours or of so many utterances", "--hours 10, or --count 1000"),
        (
            {"hours": 1, "count": 1},
            "a sample is of so many hours or of so many utterances",
            "--hours 10, or --count 1000",
        ),
        ({"count": 0}, "a sample of 0 utterances is none", "--hours 10, or --count 1000"),
        ({"hours": float("nan")}, "a sample of nan hours is none", "--hours 10, or --count 1000"),
        ({"count": 1, "by": "word"}, "a sample cannot be drawn by word", "--by utterance|session|speaker"),
        ({"count": 1, "split": "tests"}, "there is no split tests", "the splits are train, dev, test"),
        ({"count": 41}, "the corpus holds 40 utterances, fewer than 41", "ask for less, or merge it with another"),
        (
            {"hours": 1, "split": "dev"},
            "the split dev holds 0.003333 hours, fewer than 1",
            "ask for less, or merge it with another",
        ),
    ],
)
def test_samples_that_cannot_be_drawn(corpus: Path, tmp_path: Path, options, message, hint) -> None:
    with pytest.raises(ParlureError) as error:
        sample_corpus(corpus, tmp_path / "out", **options)
    assert (error.value.message, error.value.hint) == (message, hint)


def test_counts_of_the_whole_and_of_its_parts(corpus: Path) -> None:
    stats = corpus_stats(corpus)
    utterances = Corpus.load(corpus).utterances
    durations = [u.duration_s for u in utterances]
    assert stats["all"] == {
        "hours": round(sum(durations) / 3600, 6),
        "utterances": 40,
        "words": 60,
        "speakers": 10,
        "sessions": 9,
        "no_speech": 10,
        "duration_s": {
            name: round(float(np.quantile(durations, q)), 3)
            for name, q in (
                ("min", 0),
                ("p5", 0.05),
                ("p25", 0.25),
                ("median", 0.5),
                ("p75", 0.75),
                ("p95", 0.95),
                ("max", 1),
            )
        },
    }
    assert list(stats["by_split"]) == ["train", "dev", "test"]
    for part in ("split", "language", "speaker"):
        parts = stats[f"by_{part}"].values()
        for key in ("utterances", "words", "no_speech"):
            assert sum(counts[key] for counts in parts) == stats["all"][key]
    assert sum(counts["utterances"] for counts in stats["by_session"].values()) == 36  # four name no session
    assert {name: counts["utterances"] for name, counts in stats["by_tag"].items()} == {
        "age=old": 20, "age=young": 20, "noisy": 40,
    }  # fmt: skip


def test_the_table_and_the_json_of_the_command(corpus: Path, capsys) -> None:
    assert cli.run(["corpus", "stats", str(corpus), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == corpus_stats(corpus)
    assert cli.run(["corpus", "stats", str(corpus)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == "hours utterances words speakers sessions p5 s median s p95 s".split()  # noqa: SIM905
    assert table[1].split() == ["all", "0.03", "40", "60", "10", "9", "1.00", "3.00", "4.05"]
    assert [line.split()[0] for line in table[3:7]] == ["split", "train", "dev", "test"]
    assert len({len(line) for line in table[3:7]}) == 1


def test_a_long_table_says_how_much_more_there_is(tmp_path: Path) -> None:
    folder = make_corpus(tmp_path / "corpus", *(said(f"u{n}", speaker=f"p{n}", end=2.0 + n) for n in range(12)))
    table = stats_table(corpus_stats(folder))
    assert "and 2 more: --json has them all\n" in table
    assert "p11 " in table
    assert "p1 " not in table
    assert "session: not known of any utterance\n" in table


def test_filter_and_sample_at_the_command_line(corpus: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert cli.run(["corpus", "filter", str(corpus), "--keep", 'text matches "oui"', "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"{out}: 30 of 40 utterances")
    assert cli.run(["corpus", "sample", str(out), "--count", "9", "--out", str(tmp_path / "nine")]) == 0
    assert len(ids(tmp_path / "nine")) == 9
    assert cli.run(["corpus", "filter", str(corpus), "--keep", "txt == 1", "--out", str(out)]) == 2
    assert capsys.readouterr().err.endswith(
        "error: column 1 of the expression: there is no field txt\nhint: did you mean text\n"
    )


def test_every_command_has_help(capsys) -> None:
    for command in ("filter", "merge", "sample", "stats", "export", "pseudonymise", "forget"):
        assert cli.run(["corpus", command, "--help"]) == 0
        assert "--help" in capsys.readouterr().out
