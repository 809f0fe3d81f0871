"""A corpus to explore, the server that shows it, and questions to that."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import urlencode

import numpy as np
import soundfile

from parlure.corpus.explore.server import CorpusServer, open_server
from parlure.corpus.manifest import Segment, Utterance, begin_corpus, finish_corpus, write_lines

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


def make_explored(root):
    """A corpus of five utterances of a stereo recording, one of them of a recording that is not there."""
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


@contextmanager
def serving(folder) -> Iterator[CorpusServer]:
    """A server of the corpus, in a thread of its own."""
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
