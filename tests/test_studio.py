"""The studio over HTTP: the page is closed and holds nothing, what it asks for is behind the token."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_corpora import make_corpus, noise, said
from scored import report_of
from starlette.testclient import TestClient

from parlure.errors import ParlureError
from parlure.scoring.report import write_report as report_files
from parlure.shipping.server.app import create_app
from parlure.shipping.server.models import open_models
from parlure.shipping.studio.examples import Examples
from parlure.shipping.studio.routes import STUDIO, Studio

TEXTS = {"a": "oui bonjour", "b": "il neige encore", "c": "<b>à demain</b>"}
HEARD = {"a": ("oui bonsoir", "oui bonjour"), "b": ("il neige", "un ange encore là"), "c": ("<b>à demain</b>",) * 2}
URL = "http://localhost"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio")
    recording = str(noise(folder / "call.wav", 6.0))
    own = [
        said(name, text, float(place), place + 1.5, split="test", speaker=f"speaker {name}", recording=recording)
        for place, (name, text) in enumerate(TEXTS.items())
    ]
    gone = said("d", "parti", split="dev", recording=str(folder / "gone.wav"))
    return make_corpus(folder / "corpus", *own, gone)


def write_report(folder: Path, names=TEXTS) -> Path:
    rows = [
        {
            "id": name, "speaker": name, "session": name, "duration_s": 1.5, "language": "fr", "task": "transcribe",
            "tags": [], "reference": TEXTS.get(name, "x"),
            "hypotheses": dict(zip(("base", "tuned"), HEARD.get(name, ("x", "x")), strict=True)),
            "no_speech_prob": {"tuned": 0.0},
        }
        for name in names
    ]  # fmt: skip
    scored, report = report_of(rows)
    report_files(folder, scored, report)
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_report(tmp_path_factory.mktemp("reports") / "report")


@pytest.fixture(scope="module")
def models():
    return open_models({"nano": "nano"})


@pytest.fixture(scope="module")
def client(models, corpus, report):
    app = create_app(models, token="secret", pages=Studio(models, Examples(corpus, report)).routes(), log=len)
    with TestClient(app, base_url=URL) as client:
        yield client


def ask(client, path, method="GET", token="secret", **query):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.request(method, f"/studio/data/{path}", params=query, headers=headers)


def test_the_page_holds_nothing_and_runs_its_own_script_alone(client):
    answer = client.get("/")
    page, policy = answer.text, answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert not any(secret in page for secret in (*TEXTS.values(), "secret", "nano"))
    script = page.partition("<script>")[2].partition("</script>")[0]
    assert not any(door in script for door in ("innerHTML", "insertAdjacentHTML", "document.write", "eval("))
    assert "://" not in page
    assert client.get("/studio/capture.js").headers["Content-Type"].startswith("text/javascript")


def test_what_it_shows_is_behind_the_token(client):
    for path in ("about", "utterances", "audio"):
        assert ask(client, path, token=None).status_code == 401
        assert ask(client, path, token="wrong").json()["error"]["code"] == "invalid_api_key"
    assert ask(client, "ticket", "POST", token=None).status_code == 401


def test_about(client):
    about = ask(client, "about").json()
    assert about["models"] == ["nano"] and ["fr", "french"] in about["languages"]
    assert (about["n_utterances"], about["sentence"]) == (3, "nano: nano, by itself")
    assert about["report"].startswith("Too few speakers to tell: WER ")


def test_utterances_with_what_the_report_counts(client):
    rows = ask(client, "utterances").json()["rows"]
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert (rows[0]["errors"], rows[0]["n_words"]) == ({"base": 1, "tuned": 0}, 2)
    assert rows[2]["reference"] == TEXTS["c"]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"search": "NEIGE"}, ["b"]),
        ({"search": "speaker c demain"}, ["c"]),
        ({"search": "nobody"}, []),
        ({"order": "gained"}, ["a", "c", "b"]),
        ({"order": "lost"}, ["b", "c", "a"]),
        ({"order": "errors"}, ["b", "a", "c"]),
        ({"order": "unknown"}, ["a", "b", "c"]),
        ({"offset": "2"}, ["c"]),
        ({"offset": "-1"}, ["a", "b", "c"]),
    ],
)
def test_search_and_order(client, asked, ids):
    assert [row["id"] for row in ask(client, "utterances", **asked).json()["rows"]] == ids


def test_sound(client):
    answer = ask(client, "audio", id="b")
    samples, rate = soundfile.read(io.BytesIO(answer.content))
    assert (rate, len(samples)) == (16_000, 24_000) and np.abs(samples).max() > 0.1
    assert ask(client, "audio", id="../x").json()["error"]["message"] == "there is no utterance ../x"
    assert ask(client, "audio", id="d").status_code == 404  # of dev


def test_the_report_by_a_ticket_alone(client, report):
    told = client.get("/studio/report").json()["error"]
    assert told["message"] == "this address is no longer good: take the link in the studio"
    ticket = ask(client, "ticket", "POST").json()["ticket"]
    for _ in range(2):
        assert client.get("/studio/report", params={"ticket": ticket}).text == (report / "report.html").read_text()
    assert client.get("/studio/report", params={"ticket": ticket + "x"}).status_code == 403


def test_without_corpus_and_report(models):
    app = create_app(models, pages=Studio(models, Examples()).routes(), log=len)
    with TestClient(app, base_url=URL) as client:
        about = ask(client, "about", token=None).json()
        assert (about["n_utterances"], about["report"]) == (0, "")
        ticket = ask(client, "ticket", "POST", token=None).json()["ticket"]
        told = client.get("/studio/report", params={"ticket": ticket}).json()["error"]
        assert told["message"] == "this server was given no report"


def test_a_recording_that_is_gone(models, corpus):
    app = create_app(models, pages=Studio(models, Examples(corpus, split="dev")).routes(), log=len)
    with TestClient(app, base_url=URL) as client:
        answer = ask(client, "audio", token=None, id="d")
        assert answer.status_code == 400 and "gone.wav" in answer.json()["error"]["message"]


def test_refusals(corpus, tmp_path):
    with pytest.raises(ParlureError, match="has no train utterances") as caught:
        Examples(corpus, split="train")
    assert caught.value.hint == "choose another --split"
    with pytest.raises(ParlureError, match=f"{tmp_path} is not a report") as caught:
        Examples(corpus, tmp_path)
    assert caught.value.hint == "give a folder that parlure evaluate made"
    other = write_report(tmp_path / "other", ["x", "y"])
    with pytest.raises(ParlureError, match="is a report of other utterances than the test ones of") as caught:
        Examples(corpus, other)
    assert caught.value.hint == "give the corpus that was evaluated"


def test_all_parts_of_the_page_are_used():
    folder = Path(__file__).parents[1] / "parlure/shipping/studio/page"
    named = {part.rpartition("/")[2] for part in (STUDIO.html, *STUDIO.styles, *STUDIO.scripts)} | {"capture.js"}
    assert {path.name for path in folder.iterdir()} == named
