"""``parlure explore``: what the page is answered, over HTTP, from the server itself."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from io import BytesIO
from types import SimpleNamespace
from urllib.parse import quote, urlencode

import numpy as np
import pytest
import soundfile

from parlure import cli
from parlure.corpus.explore.server import open_server
from parlure.corpus.manifest import Segment, Utterance, begin_corpus, finish_corpus, write_lines
from parlure.errors import ParlureError
from parlure.speech.audio import read_audio

HOSTILE = '</script><img src=x onerror="alert(1)">'
# id, start, end, text, speaker, session, language, split, tags
ROWS = [
    ("b-1", 0.0, 1.5, "Été comme hiver, l’œuvre coûte cher", "Anne", "call-1", "fr", "train", ("age=twenties",)),
    ("b-2", 1.5, 2.0, "deux", "bob", "call-1", "fr", "dev", ()),
    ("../../etc/passwd", 2.0, 4.0, HOSTILE, "Anne", "call-2", "en", "test", ("age=twenties", HOSTILE)),
    ("a 1&é", 4.0, 4.75, "", None, None, "fr", "train", ("noise",)),
    ("lost", 0.0, 1.0, "where is it", None, "call-3", "en", "train", ()),
]
REJECTED = [
    {"source": "calls.csv", "line": 7, "reason": "missing_file", "sentence": "there is no file é.wav",
     "row": {"audio": "é.wav", "text": HOSTILE}},
    {"source": "calls.csv", "line": 9, "reason": "empty_text", "sentence": "the text is empty", "row": {"text": ""}},
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus of five utterances of a stereo recording, one of them of a recording that is not there."""
    root = tmp_path_factory.mktemp("explored")
    generator = np.random.default_rng(1)
    sound = generator.uniform(-0.5, 0.5, (5 * 8000, 2))
    soundfile.write(root / "call.wav", sound, 8000, subtype="PCM_16")
    utterances = [
        Utterance(
            id=name, start=start, end=end, text=text, speaker=speaker, session=session, language=language, split=split,
            tags=tags, recording=str(root / ("lost.wav" if name == "lost" else "call.wav")),
            channel=1 if name == "b-2" else None,
            segments=(Segment(0.0, 0.7, "Été comme hiver"), Segment(0.8, 1.5, "l’œuvre")) if name == "b-1" else None,
        )
        for name, start, end, text, speaker, session, language, split, tags in ROWS
    ]  # fmt: skip
    corpus = root / "corpus"
    begin_corpus(corpus)
    write_lines(corpus, utterances, REJECTED)
    finish_corpus(corpus, {"warnings": ["few speakers"]})
    return corpus


@pytest.fixture(scope="module")
def server(folder):
    with open_server(folder) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def fetch(server, path, *, token=None, method="GET", **headers):
    """Status, headers and body of a raw request; ``path`` is what follows the token."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"/{server.token if token is None else token}/{path}", headers=named)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return SimpleNamespace(status=answer.status, headers=answer.headers, body=body)


def ask(server, path, **query):
    answer = fetch(server, f"{path}?{urlencode(query)}")
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def ids(server, **query):
    return [row["id"] for row in ask(server, "utterances", **query)["rows"]]


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


def test_the_page_holds_nothing_of_the_corpus_and_runs_its_own_script_alone(server):
    answer = fetch(server, "")
    page = answer.body.decode()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert page.count("<script>") == page.count("</script>") == 1
    for said in (HOSTILE, "b-1", "Anne"):
        assert said not in page
    script = page.partition("<script>")[2].partition("</script>")[0]
    for door in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert door not in script
    assert "://" not in page  # nothing from elsewhere


def test_hostile_texts_are_never_sent_as_markup(server):
    for path in ("utterances", "overview", "rejected", "ids.txt", "audio?id=" + quote(HOSTILE), quote(HOSTILE)):
        answer = fetch(server, path)
        assert not answer.headers["Content-Type"].startswith("text/html"), path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize("path", ["", "overview", "utterances", "audio?id=b-1", "ids.txt"])
def test_without_the_token_nothing_is_answered(server, path):
    for token in ("", "x", server.token[:-1], server.token + "x", "é"):
        answer = fetch(server, path, token=quote(token))
        assert (answer.status, answer.body) == (
            403, b"the address lacks its token: take the whole address that parlure explore has printed\n",
        )  # fmt: skip


def test_another_host_name_is_refused(server):
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "", "a b"):
        answer = fetch(server, "overview", Host=host)
        assert (answer.status, answer.body) == (403, b"this host name is not this machine's\n"), host
    for host in ("localhost", "LOCALHOST:9000", "127.0.0.1", "[::1]:80", socket.gethostname()):
        assert fetch(server, "overview", Host=host).status == 200, host


@pytest.mark.parametrize(
    "path",
    ["../manifest.jsonl", "..%2fmanifest.jsonl", "manifest.jsonl", "page/page.js", "/etc/passwd",
     "audio/../corpus.json", "audio?id=../call.wav", "audio?id=/etc/passwd", "audio?id=", "audio"],
)  # fmt: skip
def test_no_file_is_named_by_an_address(server, path):
    answer = fetch(server, path)
    assert answer.status == 404
    assert json.loads(answer.body)["message"].startswith("there is no")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_written(server, method):
    assert fetch(server, "utterances", method=method).status == 501


def test_two_servers_have_two_tokens_and_an_address_each(folder):
    with open_server(folder) as one, open_server(folder) as other:
        assert one.token != other.token and len(one.token) >= 32
        assert one.url == f"http://127.0.0.1:{one.server_address[1]}/{one.token}/"
        assert one.private


def test_a_server_for_all_says_so(folder, capsys, monkeypatch):
    with open_server(folder, host="0.0.0.0") as server:
        assert not server.private
        assert server.url.startswith(f"http://{socket.gethostname()}:")
    monkeypatch.setattr("parlure.corpus.explore.server.CorpusServer.serve_forever", interrupt)
    assert cli.run(["explore", str(folder), "--host", "0.0.0.0", "--no-browser"]) == 0
    said = capsys.readouterr().err
    assert "warning: 0.0.0.0 can be reached from other machines: whoever has the address can hear the corpus" in said


def interrupt(self):
    raise KeyboardInterrupt


def test_a_port_in_use_is_said(folder, capsys):
    with open_server(folder) as server:
        port = server.server_address[1]
        assert cli.run(["explore", str(folder), "--no-browser", "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"error: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
        "hint: leave --port out to take a free port; --host is an address of this machine, such as 127.0.0.1\n"
    )


def test_a_host_that_is_not_here_is_said(folder):
    with pytest.raises(ParlureError, match=r"cannot listen on 192\.0\.2\.1 port 0"):
        open_server(folder, host="192.0.2.1")


def test_no_such_corpus(tmp_path, capsys):
    assert cli.run(["explore", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith(f"error: there is no corpus folder {tmp_path / 'none'}\nhint: ")


def test_a_damaged_list_of_rejected_rows_is_said(folder, tmp_path):
    begin_corpus(tmp_path / "corpus")
    write_lines(tmp_path / "corpus", [], [])
    finish_corpus(tmp_path / "corpus", {})
    path = tmp_path / "corpus" / "rejected.jsonl"
    path.write_text('{"reason": "x"}\n\n[1]\n')
    with pytest.raises(ParlureError) as caught:
        open_server(tmp_path / "corpus")
    assert caught.value.message == f"{path} line 3 is not a JSON object"
    assert caught.value.hint == (
        "prepare the corpus again, or move the file away: the utterances can be explored without it"
    )
    path.unlink()
    with open_server(tmp_path / "corpus") as server:  # an empty corpus is shown too
        assert json.loads(server.answers.answer("overview", "").body)["total"]["utterances"] == 0
        assert json.loads(server.answers.answer("utterances", "sort=text&search=x").body)["found"] == 0


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_with_a_sentence(folder, number):
    command = [sys.executable, "-m", "parlure.cli", "explore", str(folder), "--no-browser"]
    before = {path: path.read_bytes() for path in folder.iterdir()}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )  # fmt: skip
    url = process.stdout.readline().strip()
    host, _, rest = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request("GET", f"/{rest}overview")
    assert json.loads(connection.getresponse().read())["name"] == "corpus"
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert err == "Ctrl-C ends it\n\nclosed; nothing in the corpus was changed\n"
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
