"""``parlure explore``: what the page is answered, over HTTP, from the server itself."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from urllib.parse import quote, urlencode

import numpy as np
import pytest
import soundfile
from explored import HOSTILE, REJECTED, ROWS, ask, fetch, ids, make_explored, serving

from parlure.speech.audio import read_audio


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_explored(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="module")
def server(folder):
    with serving(folder) as running:
        yield running


def test_the_corpus_as_a_whole(server):
    overview = ask(server, "overview")
    assert overview["name"] == "corpus"
    assert overview["warnings"] == ["few speakers"]
    assert overview["total"] == {"utterances": 5, "seconds": 5.75, "speakers": 2, "sessions": 3}
    splits = {split["name"]: (split["utterances"], split["seconds"]) for split in overview["splits"]}
    assert splits == {"train": (3, 3.25), "dev": (1, 0.5), "test": (1, 2.0)}
    assert [(one["name"], one["utterances"]) for one in overview["speakers"]] == [("Anne", 2), ("", 2), ("bob", 1)]
    assert {one["name"]: one["utterances"] for one in overview["tags"]} == {
        "age=twenties": 2, HOSTILE: 1, "noise": 1, "": 2,
    }  # fmt: skip
    assert overview["rejected"] == 2
    assert overview["reasons"] == [{"name": "missing_file", "rows": 1}, {"name": "empty_text", "rows": 1}]


def test_a_row_is_the_manifests_with_its_length_and_pace(server):
    first = ask(server, "utterances")["rows"][0]
    assert first["id"] == "b-1"
    assert first["duration_s"] == 1.5
    assert first["chars_per_s"] == pytest.approx(len(ROWS[0][3]) / 1.5, abs=1e-3)
    assert first["segments"] == [[0.0, 0.7, "Été comme hiver"], [0.8, 1.5, "l’œuvre"]]
    assert first["tags"] == ["age=twenties"]


def test_pages(server):
    whole = ids(server)
    assert whole == [row[0] for row in ROWS]
    page = ask(server, "utterances", offset=1, limit=2)
    assert [row["id"] for row in page["rows"]] == whole[1:3]
    assert (page["found"], page["offset"], page["seconds"]) == (5, 1, 5.75)
    assert ids(server, offset=5) == []
    assert ids(server, limit=0) == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ete", ["b-1"]),
        ("ÉTÉ", ["b-1"]),
        ("oeuvre coute", ["b-1"]),
        ("l'œuvre", ["b-1"]),
        ("call-1", ["b-1", "b-2"]),
        ("call-1 bob", ["b-2"]),
        ("anne", ["b-1", "../../etc/passwd"]),
        ("onerror", ["../../etc/passwd"]),
        ("deuxb-2", []),
        ("nowhere", []),
    ],
)
def test_search_takes_accents_and_ligatures_lightly(server, search, found):
    assert ids(server, search=search) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"split": "train"}, ["b-1", "a 1&é", "lost"]),
        ({"split": "train", "language": "en"}, ["lost"]),
        ({"speaker": "Anne"}, ["b-1", "../../etc/passwd"]),
        ({"speaker": ""}, ["a 1&é", "lost"]),
        ({"session": "call-3"}, ["lost"]),
        ({"tag": HOSTILE}, ["../../etc/passwd"]),
        ({"tag": ""}, ["b-2", "lost"]),
        ({"shortest": "0.75", "longest": "1"}, ["a 1&é", "lost"]),
        ({"shortest": "1,5"}, ["b-1", "../../etc/passwd"]),
        ({"speaker": "nobody"}, []),
    ],
)
def test_choices(server, query, found):
    assert ids(server, **query) == found
    assert fetch(server, "ids.txt?" + urlencode(query)).body.decode() == "".join(f"{name}\n" for name in found)


@pytest.mark.parametrize(
    ("sort", "up"),
    [
        ("id", ["../../etc/passwd", "a 1&é", "b-1", "b-2", "lost"]),
        ("split", ["b-1", "a 1&é", "lost", "b-2", "../../etc/passwd"]),
        ("duration", ["b-2", "a 1&é", "lost", "b-1", "../../etc/passwd"]),
        ("pace", ["a 1&é", "b-2", "lost", "../../etc/passwd", "b-1"]),
        ("text", ["a 1&é", "../../etc/passwd", "b-2", "b-1", "lost"]),
        ("language", ["../../etc/passwd", "lost", "b-1", "b-2", "a 1&é"]),
    ],
)
def test_sorting(server, sort, up):
    assert ids(server, sort=sort) == up
    key = {row["id"]: row["language" if sort == "language" else "split"] for row in ask(server, "utterances")["rows"]}
    down = ids(server, sort=sort, order="down")
    if sort in ("language", "split"):  # equal ones stay in the manifest's order
        assert [key[name] for name in down] == [key[name] for name in reversed(up)]
    else:
        assert down == up[::-1]


def test_what_is_not_known_is_sorted_last_both_ways(server):
    assert ids(server, sort="speaker") == ["b-1", "../../etc/passwd", "b-2", "a 1&é", "lost"]
    assert ids(server, sort="speaker", order="down") == ["b-2", "b-1", "../../etc/passwd", "a 1&é", "lost"]
    assert ids(server, order="down") == [row[0] for row in reversed(ROWS)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("sort=colour", "sort is 'colour', not one of id, split,"),
        ("shortest=long", "shortest is 'long', not a number of seconds"),
        ("longest=nan", "longest is 'nan', not a number of seconds"),
        ("offset=-1", "offset is '-1', not a whole number"),
    ],
)
def test_a_query_that_makes_no_sense_is_said(server, query, message):
    for path in ("utterances", "rejected", "ids.txt"):
        answer = fetch(server, f"{path}?{query}")
        assert answer.status == 400
        assert json.loads(answer.body)["message"].startswith(message)


def test_ids_are_a_file_to_keep(server):
    answer = fetch(server, "ids.txt?sort=duration&order=down&limit=1")  # a page's limit is not the list's
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ids.txt"'
    assert answer.body.decode().splitlines() == ["../../etc/passwd", "b-1", "lost", "a 1&é", "b-2"]


@pytest.mark.parametrize("name", ["b-1", "b-2", "../../etc/passwd", "a 1&é"])
def test_sound_is_the_span_as_whisper_hears_it(server, folder, name):
    answer = fetch(server, "audio?id=" + quote(name))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "audio/wav")
    heard, rate = soundfile.read(BytesIO(answer.body), dtype="float32")
    assert soundfile.info(BytesIO(answer.body)).subtype == "PCM_16"
    start, end = next((row[1], row[2]) for row in ROWS if row[0] == name)
    wanted = read_audio(folder.parent / "call.wav", start, end, 1 if name == "b-2" else None)
    assert rate == 16_000
    assert heard.shape == wanted.shape
    assert np.abs(heard - wanted).max() <= 1 / 32768  # the rounding to 16 bits


def test_sound_is_given_in_pieces(server):
    whole = fetch(server, "audio?id=b-1")
    assert whole.headers["Accept-Ranges"] == "bytes"
    length = len(whole.body)
    for asked, piece in (("0-9", slice(0, 10)), ("100-", slice(100, None)), ("-7", slice(-7, None)),
                         (f"40-{length + 5}", slice(40, None))):  # fmt: skip
        answer = fetch(server, "audio?id=b-1", Range=f"bytes={asked}")
        assert (answer.status, answer.body) == (206, whole.body[piece]), asked
        first = range(length)[piece][0]
        assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(answer.body) - 1}/{length}"
    beyond = fetch(server, "audio?id=b-1", Range=f"bytes={length}-")
    assert (beyond.status, beyond.headers["Content-Range"], beyond.body) == (416, f"bytes */{length}", b"")
    for ignored in ("bytes=-", "bytes=0-1,4-5", "lines=1-2"):
        assert fetch(server, "audio?id=b-1", Range=ignored).status == 200
    head = fetch(server, "audio?id=b-1", method="HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(length))


def test_what_cannot_be_heard_is_said(server, folder):
    for path in ("audio", "picture"):
        lost = fetch(server, f"{path}?id=lost")
        assert lost.status == 422
        assert json.loads(lost.body)["message"] == f"there is no file {folder.parent / 'lost.wav'}"
        unknown = fetch(server, f"{path}?id=b-9")
        assert (unknown.status, json.loads(unknown.body)["message"]) == (404, "there is no utterance b-9")


def test_the_picture_is_of_the_span(server):
    shown = ask(server, "picture", id="b-1")
    assert shown["seconds"] == 1.5
    assert len(base64.b64decode(shown["spectrogram"])) == shown["columns"] * shown["bands"]
    assert -1 <= min(shown["low"]) < 0 < max(shown["high"]) <= 1


def test_rejected_rows(server):
    assert ask(server, "rejected") == {"found": 2, "offset": 0, "rows": REJECTED}
    assert [row["line"] for row in ask(server, "rejected", reason="empty_text")["rows"]] == [9]
    assert [row["line"] for row in ask(server, "rejected", search="E.WAV")["rows"]] == [7]
    assert ask(server, "rejected", search="sentence")["found"] == 0  # names of fields are not searched
    assert ask(server, "rejected", offset=1, limit=1)["rows"] == REJECTED[1:]
