"""What ``parlure explore`` is made of: pictures of sound, questions and their order, the way to the browser."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from parlure.corpus.explore.browser import forwarding_page, has_screen, shown_in_browser
from parlure.corpus.explore.catalogue import Catalogue
from parlure.corpus.explore.question import QuestionError, folded, parse_question
from parlure.corpus.explore.sound import peaks, picture, spectrogram
from parlure.corpus.manifest import Utterance


def test_the_picture_shows_a_tone_where_it_is():
    time_s = np.arange(32_000) / 16_000
    tone = np.where(time_s < 1, 0.0, 0.5 * np.sin(2 * np.pi * 2000 * time_s)).astype(np.float32)
    low, high = peaks(tone)
    assert len(low) == len(high) == 1000
    assert np.abs(high[:500]).max() == 0
    assert high[510:].min() > 0.4 and low[510:].max() < -0.4
    points = spectrogram(tone)
    loudest = points.argmax(axis=1)[len(points) // 2 + 10 :]
    assert set(loudest * 62.5) <= {1937.5, 2000.0}
    assert points.max() == 255 and points[: len(points) // 2 - 10].max() == 0
    assert picture(np.ones(8000, np.float32))["at_full_scale"] == 8000


@pytest.mark.parametrize("n_samples", [1, 399, 400, 16_000 * 30, 16_000 * 200 + 7])
def test_a_picture_of_any_length_is_no_wider_than_a_screen(n_samples):
    samples = np.zeros(n_samples, np.float32)
    shown = picture(samples)
    assert 1 <= shown["columns"] <= 1000 and 1 <= len(shown["low"]) <= 1000
    assert (shown["level_db"], shown["snr_db"], shown["at_full_scale"]) == (None, None, 0)


def test_the_browser_is_told_the_secret_through_a_file_of_its_owners(tmp_path, monkeypatch):
    url = "http://127.0.0.1:1/secret/"
    opened = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", opened.append)
    with shown_in_browser(url):
        (address,) = opened
        assert address.startswith("file:") and "secret" not in address
    page = forwarding_page(url, tmp_path)
    assert f"url={url}" in page.read_text()
    if os.name == "posix":
        assert page.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a screen")
def test_without_a_screen_no_browser_takes_the_terminal(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("webbrowser.open", lambda url: pytest.fail("opened"))
    assert not has_screen()
    with shown_in_browser("http://127.0.0.1:1/secret/"):
        pass


@pytest.mark.parametrize(
    ("text", "as_searched"),
    [("ÉTÉ", "ete"), ("Œuvre", "oeuvre"), ("l’été", "l'ete"), ("Straße", "strasse"), ("10\u00a0$", "10 $"),
     ("किताब", "किताब"), ("ﬁn", "fin"), ("Łódź", "lodz"), ("Ёлка", "елка")],
)  # fmt: skip
def test_folding(text, as_searched):
    assert folded(text) == folded(as_searched) == as_searched


def test_a_question_keeps_to_its_largest_page():
    assert parse_question("limit=1000000").limit == 1000
    assert parse_question("").limit == 100
    with pytest.raises(QuestionError, match="limit is 'x', not a whole number"):
        parse_question("limit=x")


def test_an_order_is_kept_under_any_choice():
    utterances = [
        Utterance(id=f"u{n}", recording="x", start=0.0, end=1.0 + n % 7, text=f"mot {n}", language="fr")
        for n in range(5000)
    ]
    catalogue = Catalogue(utterances)
    question = parse_question("sort=duration&order=down&search=mot+49")
    rows = catalogue.matching(question)
    wanted = sorted((n for n in range(5000) if "49" in f"mot {n}" or "49" in f"u{n}"), key=lambda n: -(n % 7))
    assert rows.tolist() == wanted
    assert catalogue.seconds(rows) == sum(1.0 + n % 7 for n in wanted)
    others = catalogue.matching(parse_question("sort=duration&order=down&shortest=7")).tolist()
    assert others == [n for n in range(5000) if n % 7 == 6]
