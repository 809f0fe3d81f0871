"""Names of speakers and sessions go, everywhere they stand as names; what remains is counted."""

from __future__ import annotations

import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from made_corpora import make_corpus, said

from parlure import cli
from parlure.corpus.editing.filtering import filter_corpus
from parlure.corpus.editing.pseudonyms import Pseudonyms, pseudonymise_corpus
from parlure.corpus.manifest import Corpus, Segment
from parlure.errors import ParlureError


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    phrases = (Segment(0, 1, "oui", "Marie Tremblay"), Segment(1, 2, "non", None))
    return make_corpus(
        tmp_path / "corpus",
        said("marie_tremblay-001", "bonjour", recording="/c/07.wav", speaker="Marie Tremblay", session="appel 7"),
        said("07-000", "merci marie tremblay", recording="/c/07.wav", start=2, end=4, speaker="luc", session="appel 7"),
        said("07-001", recording="/c/luc.wav", start=4, end=6, segments=phrases, session="luc", tags=("who=luc",)),
        warnings=["the speaker Marie Tremblay is in 2 of 2 sessions"],
        sources=[{"path": "Marie-Tremblay.csv", "sha256": "0"}, {"path": "calls.csv", "sha256": "1"}],
    )


def test_names_are_replaced_everywhere_and_structure_is_kept(corpus: Path, tmp_path: Path) -> None:
    summary = pseudonymise_corpus(corpus, tmp_path / "out")
    before, after = Corpus.load(corpus).utterances, Corpus.load(tmp_path / "out").utterances
    assert (summary.n_read, summary.n_kept, summary.n_left_out) == (3, 3, 0)
    assert after[0].session == after[1].session != after[2].session
    assert after[0].speaker == (after[2].segments or ())[0].speaker != after[1].speaker
    assert after[1].speaker != (after[2].session or "").replace("session", "speaker")  # luc twice, and not the same
    assert after[2].speaker is None
    assert (after[2].segments or ())[1].speaker is None
    assert after[0].id.startswith("utterance-")
    assert [u.id for u in after[1:]] == ["07-000", "07-001"]
    for old, new in zip(before, after, strict=True):
        same = {"speaker": None, "session": None, "segments": None, "id": ""}
        assert replace(old, **same) == replace(new, **same)
    for name in ("corpus.json", "rejected.jsonl"):
        content = (tmp_path / "out" / name).read_text(encoding="utf-8").casefold()
        assert "marie" not in content
        assert "tremblay" not in content
    assert Corpus.load(tmp_path / "out").info["sources"] == [{"sha256": "0"}, {"path": "calls.csv", "sha256": "1"}]
    assert summary.notes == (
        "3 names of speakers and sessions were replaced",
        "1 ids held such a name and were replaced",
        "what remains: the voices, and whatever the texts say of people",
        "what remains: 1 recordings' paths hold a name that was replaced",
        "what remains: 1 texts hold a name that was replaced",
        "what remains: 1 tags hold a name that was replaced",
        "no key was kept: nobody can say any more who is who, and the next corpus gets other pseudonyms",
    )


def test_a_key_gives_the_same_pseudonyms_again_and_no_key_others(corpus: Path, tmp_path: Path) -> None:
    key = tmp_path / "safe" / "key"
    for out in ("a", "b"):
        summary = pseudonymise_corpus(corpus, tmp_path / out, key=key)
        pseudonymise_corpus(corpus, tmp_path / f"{out} without")
    assert summary.notes[-1] == f"the key is {key}: keep it apart from the corpus; who has both can say who is who"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    for name in ("manifest.jsonl", "corpus.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert key.read_text().strip() not in (tmp_path / "a" / name).read_text()
    speakers = {
        out: [u.speaker for u in Corpus.load(tmp_path / out).utterances] for out in ("a", "a without", "b without")
    }
    assert speakers["a"] != speakers["a without"] != speakers["b without"]
    assert Corpus.load(tmp_path / "a without").info["edit"]["arguments"] == {"key_fingerprint": None}


def test_a_pseudonym_depends_on_key_kind_and_name() -> None:
    one, other = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)
    assert re.fullmatch(r"speaker-[a-z2-7]{12}", one.of("speaker", "zoé"))
    assert one.of("speaker", "zoé") == one.of("speaker", "zoé") != other.of("speaker", "zoé")
    assert one.of("speaker", "7")[8:] != one.of("session", "7")[8:]
    assert len({one.of("speaker", str(n)) for n in range(20_000)}) == 20_000
    assert one.fingerprint != other.fingerprint


def test_earlier_edits_do_not_tell_whom_they_were_about(corpus: Path, tmp_path: Path) -> None:
    filter_corpus(corpus, tmp_path / "filtered", keep='speaker != "luc"')
    pseudonymise_corpus(tmp_path / "filtered", tmp_path / "out")
    content = (tmp_path / "out" / "corpus.json").read_text(encoding="utf-8")
    (edit,) = Corpus.load(tmp_path / "out").info["earlier_edits"]
    assert edit["operation"] == "filter"
    assert edit["before"]["utterances"] == 3
    assert edit["arguments"] == "left out: they may hold names"
    assert "luc" not in content
    assert str(tmp_path) not in content


def test_keys_that_cannot_be_used(corpus: Path, tmp_path: Path) -> None:
    bad = tmp_path / "password"
    bad.write_text("secret")
    for key, message, hint in (
        (
            bad,
            f"{bad} holds no key of 64 hexadecimal digits",
            "name a file that is not there, and parlure makes one",
        ),
        (
            corpus / "key",
            f"the key {corpus / 'key'} would lie in the corpus {corpus}",
            "keep it elsewhere, where few can read it",
        ),
        (
            tmp_path / "out" / "key",
            f"the key {tmp_path / 'out' / 'key'} would lie in the corpus {tmp_path / 'out'}",
            "keep it elsewhere, where few can read it",
        ),
    ):
        with pytest.raises(ParlureError) as error:
            pseudonymise_corpus(corpus, tmp_path / "out", key=key)
        assert (error.value.message, error.value.hint) == (message, hint)
    assert not (tmp_path / "out").exists()


def test_at_the_command_line(corpus: Path, tmp_path: Path, capsys) -> None:
    out, key = tmp_path / "out", tmp_path / "key"
    assert cli.run(["corpus", "pseudonymise", str(corpus), "--out", str(out), "--key", str(key)]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"{out}: 3 of 3 utterances")
    assert key.is_file()
