"""The page of ``parlure correct`` over HTTP: what it shows, saves, refuses and takes back."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from made_corpora import five_utterances
from test_correct import files, history, rows
from test_suspects import hearing

from parlure import cli
from parlure.corpus.correcting.answers import CorrectingAnswers
from parlure.corpus.correcting.desk import corrected
from parlure.corpus.correcting.ranking import ranked
from parlure.corpus.explore.server import CorpusServer
from parlure.corpus.manifest import Corpus


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return five_utterances(tmp_path)


@contextmanager
def serving(desk, suspects):
    with CorpusServer(CorrectingAnswers(desk, suspects), "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def talk(server, path, given=None, *, token=None, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    content = body if body is not None else None if given is None else json.dumps(given)
    sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(
        "GET" if content is None else "POST", f"/{server.token if token is None else token}/{path}", content, sent
    )
    answer = connection.getresponse()
    read = answer.read()
    connection.close()
    return answer.status, json.loads(read) if answer.headers.get_content_type() == "application/json" else read


@pytest.fixture
def server(folder):
    heard = {"a": hearing("oui bonjour"), "b": hearing("il neige encore"), "c": hearing("merci", 4.0)}
    with corrected(folder, "anne") as desk, serving(desk, ranked(Corpus.load(folder).utterances, heard)) as running:
        yield running


def test_the_page_lists_saves_and_takes_back(server, folder):
    status, page = talk(server, "")
    assert status == 200 and b"parlure correct" in page and b"innerHTML" not in page and b"://" not in page
    listed = talk(server, "suspects")[1]
    assert [row["id"] for row in listed["rows"]] == ["c", "a", "b"]
    assert listed["rows"][0]["differences"] == [["equal", "merci", "merci"], ["delete", "beaucoup", None]]
    assert [row["id"] for row in talk(server, "suspects?split=test")[1]["rows"]] == ["c"]
    status, saved = talk(server, "save", {"id": "c", "action": "corrected", "text": "merci"})
    assert (status, saved["row"]["text"], saved["row"]["done"]) == (200, "merci", "corrected")
    assert saved["said"][-1] == "this is a test utterance: scores from before and after are not of the same test"
    assert saved["counts"]["corrected"]["test"] == 1
    assert rows(folder)["c"]["text"] == "merci"  # before the page is closed
    assert history(folder)[0]["reason"].startswith("the model finds the transcript improbable: mean of a token 0.02")
    assert [row["id"] for row in talk(server, "suspects?open=1")[1]["rows"]] == ["a", "b"]
    assert talk(server, "save", {"id": "a", "action": "rejected"})[1]["row"]["done"] == "rejected"
    assert (
        talk(server, "undo", {})[1]["row"] | {"done": None, "text": "oui bonjour le chat dort"}
        == (talk(server, "suspects")[1]["rows"][1])
    )
    overview = talk(server, "overview")[1]
    assert (overview["who"], overview["suspects"], overview["counts"]["rejected"]["train"]) == ("anne", 3, 0)
    assert len(history(folder)) == 3


def test_what_is_wrong_is_said_and_changes_nothing(server, folder):
    before = files(folder)
    assert talk(server, "save", {"id": "c", "action": "corrected", "text": " "}) == (
        409, {"message": "the corrected text of c is empty",
              "hint": "say silent where nobody speaks, or reject the utterance"},
    )  # fmt: skip
    assert talk(server, "save", {"id": "../x", "action": "confirmed"})[0] == 409
    assert talk(server, "save", {"id": 3})[0] == 400
    assert talk(server, "manifest", {"id": "c"})[0] == 404
    assert talk(server, "undo", {})[0] == 409
    assert talk(server, "audio?id=z")[0] == 404
    assert talk(server, "audio?id=a")[0] == 422  # its recording is not there
    assert files(folder) == before and not (folder / "corrections.jsonl").exists()


def test_a_page_from_elsewhere_can_write_nothing(server, folder):
    before = files(folder)
    given = {"id": "c", "action": "rejected"}
    assert talk(server, "save", given, token="x")[0] == 403
    assert talk(server, "save", given, Host="evil.example") == (403, b"this host name is not this machine's\n")
    assert talk(server, "save", given, Origin="http://evil.example") == (403, b"this page came from elsewhere\n")
    assert talk(server, "save", given, Content_Type="text/plain")[0] == 415
    assert talk(server, "save", body="[1]")[0] == talk(server, "save", body="{")[0] == 400
    assert talk(server, "save", body="", Content_Length=str(1 << 21))[0] == 413  # before anything of it is read
    assert files(folder) == before
    port = server.server_address[1]
    assert talk(server, "save", given, Host=f"127.0.0.1:{port}", Origin=f"http://127.0.0.1:{port}")[0] == 200


def test_the_command_serves_until_it_is_interrupted(folder, tmp_path, capsys, monkeypatch):
    def save_one(self):
        assert self.answers.accept("save", {"id": "a", "action": "corrected", "text": "oui"}).status == 200
        raise KeyboardInterrupt

    monkeypatch.setattr(CorpusServer, "serve_forever", save_one)
    options = ["correct", "nano", "--corpus", str(folder), "--no-browser", "--host", "0.0.0.0", "--who", "anne"]
    assert cli.run(options) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("http://")
    assert "0.0.0.0 can be reached from other machines: whoever has the address can change the corpus" in captured.err
    assert f"closed; 1 line was added to {folder / 'corrections.jsonl'}" in captured.err
    assert history(folder)[0]["who"] == "anne"
