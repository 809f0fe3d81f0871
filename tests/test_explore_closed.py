"""``parlure explore``: closed to everybody else, begun and ended with a sentence."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from urllib.parse import quote

import pytest
from explored import HOSTILE, fetch, make_explored, serving

from parlure import cli
from parlure.corpus.explore.server import open_server
from parlure.corpus.manifest import begin_corpus, finish_corpus, write_lines
from parlure.errors import ParlureError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_explored(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="module")
def server(folder):
    with serving(folder) as running:
        yield running


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
