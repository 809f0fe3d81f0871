"""A corpus as TextGrid and as ELAN's files: what praatio and pympi read, and the same corpus read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from praatio import textgrid as praat
from pympi.Elan import Eaf

from parlure.corpus.exporters import EXPORTERS
from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.readers import guess_reader, read_rows
from parlure.corpus.readers.row import Columns, Row
from parlure.errors import ParlureError

FORMS = ["textgrid", "elan"]
Spoken = tuple[str, float, float, str, str | None]


def corpus(folder: Path, *utterances: tuple[str, float, float, str, str | None]) -> Corpus:
    """A corpus of (recording, start, end, text, speaker); each recording is 10 s of noise."""
    found = []
    for number, (recording, start, end, text, speaker) in enumerate(utterances):
        path = folder / recording
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, 0.1 * np.random.default_rng(1).standard_normal(80_000), 8_000)
        found.append(
            Utterance(
                id=f"u{number}", recording=str(path), start=start, end=end, text=text, speaker=speaker, language="fr"
            )
        )
    return Corpus(folder / "corpus", tuple(found))


def read_back(out: Path) -> list[Spoken]:
    found = list(read_rows(str(out), Columns()))
    assert all(isinstance(row, Row) for row in found), found
    rows = (row for row in found if isinstance(row, Row))
    said = ((str(row.audio.resolve()), row.start or 0.0, row.end or 0.0, row.text or "", row.speaker) for row in rows)
    return sorted(said, key=str)


def spoken(corpus: Corpus) -> list[Spoken]:
    return sorted(((one.recording, one.start, one.end, one.text, one.speaker) for one in corpus.utterances), key=str)


def some(folder: Path) -> Corpus:
    return corpus(
        folder,
        ("a/call.wav", 0.0, 1.25, 'elle dit "oui" & <non>', "Marie"),
        ("a/call.wav", 1.25, 10.0, "été", "Marie"),
        ("a/call.wav", 0.5, 2.0, "par-dessus", "Paul Roy"),
        ("b/call.wav", 3.25, 4.5, "qui ?", None),
        ("b/call.wav", 3.75, 5.5, "et qui ?", None),  # two unknown people at once
        ("autre appel.flac", 0.125, 9.0, "long", "Marie"),
        ("autre appel.flac", 2.0, 3.0, "et encore", "Marie"),  # overlaps herself
    )


@pytest.mark.parametrize("form", FORMS)
def test_read_back_equal(tmp_path: Path, form: str) -> None:
    made = some(tmp_path)
    EXPORTERS[form](made, tmp_path / "out")
    assert guess_reader(str(tmp_path / "out")) == form
    assert read_back(tmp_path / "out") == spoken(made)


_WORDS = st.text(st.sampled_from('aé "<&>.1!'), min_size=1, max_size=6).map(str.strip).filter(bool)
_TIMES = st.tuples(st.integers(0, 9_000), st.integers(1, 1_000))


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(_TIMES, _WORDS, st.sampled_from([None, "A", "Zoé"])), min_size=1, max_size=8))
def test_any_times_and_texts(
    tmp_path_factory: pytest.TempPathFactory, form: str, said: list[tuple[tuple[int, int], str, str | None]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    rows = [("c.wav", start / 1000, (start + length) / 1000, text, who) for (start, length), text, who in said]
    made = corpus(folder, *rows)
    EXPORTERS[form](made, folder / "out")
    assert read_back(folder / "out") == spoken(made)


def test_praatio_reads_it(tmp_path: Path) -> None:
    made = some(tmp_path)
    EXPORTERS["textgrid"](made, tmp_path / "out")
    files = sorted((tmp_path / "out").glob("*.TextGrid"))
    assert len(files) == 3
    found = []
    for path in files:
        grid = praat.openTextgrid(str(path), includeEmptyIntervals=False, duplicateNamesMode="rename")
        assert grid.maxTimestamp == 10.0
        found += [tuple(entry) for name in grid.tierNames for entry in grid.getTier(name).entries]
    assert sorted(found) == sorted((one.start, one.end, one.text) for one in made.utterances)


def test_pympi_reads_it(tmp_path: Path) -> None:
    made = some(tmp_path)
    EXPORTERS["elan"](made, tmp_path / "out")
    files = sorted((tmp_path / "out").glob("*.eaf"))
    eaf = Eaf(str(files[0]))
    assert files[0].name.startswith("autre_appel")
    assert eaf.get_linked_files()[0]["MEDIA_URL"] == f"file://{tmp_path}/autre%20appel.flac"
    assert eaf.get_linked_files()[0]["RELATIVE_MEDIA_URL"] == "../autre appel.flac"
    assert {name: eaf.tiers[name][2].get("PARTICIPANT") for name in eaf.get_tier_names()} == {
        "Marie": "Marie",
        "Marie 2": "Marie",
    }
    assert eaf.get_annotation_data_for_tier("Marie") == [(125, 9000, "long")]
    assert list(eaf.timeslots.values()) == sorted(eaf.timeslots.values())


def test_the_recording_is_linked_and_not_copied(tmp_path: Path) -> None:
    EXPORTERS["textgrid"](corpus(tmp_path, ("call.wav", 0.0, 1.0, "oui", "A")), tmp_path / "out")
    assert (tmp_path / "out/call.wav").is_symlink()
    assert (tmp_path / "out/call.wav").resolve() == tmp_path / "call.wav"


def test_what_a_format_cannot_hold(tmp_path: Path) -> None:
    made = corpus(tmp_path, ("call.wav", 0.0, 1.0, "", "A"), ("call.wav", 1.0, 2.0, "deux\nlignes", "A"))
    for form in FORMS:
        EXPORTERS[form](made, tmp_path / form)
    assert [row[3] for row in read_back(tmp_path / "textgrid")] == ["deux lignes"]  # silence is a pause there
    assert [row[3] for row in read_back(tmp_path / "elan")] == ["", "deux\nlignes"]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    made = corpus(tmp_path, ("call.wav", 0.0, 1.0, "oui", "Text"))
    with pytest.raises(ParlureError, match="a tier called Text is not read as a speaker of this name") as caught:
        EXPORTERS["textgrid"](made, tmp_path / "out")
    assert caught.value.hint == "export to ELAN, or rename them"
    with pytest.raises(ParlureError, match="is there already and not an empty folder") as caught:
        EXPORTERS["elan"](made, tmp_path)
    assert caught.value.hint == "name a new one"
    bad = replace(made, utterances=(replace(made.utterances[0], text="a\x00"),))
    with pytest.raises(
        ParlureError, match="the text or speaker of u0 has a control character, which XML cannot hold"
    ) as caught:
        EXPORTERS["elan"](bad, tmp_path / "bad")
    assert caught.value.hint == "take it out"
    EXPORTERS["elan"](made, tmp_path / "good")
    assert read_back(tmp_path / "good")[0][4] == "Text"  # a participant is one whatever it is called
