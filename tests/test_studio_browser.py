"""The studio in Chromium, spoken to through a microphone that plays a WAV; skipped where there is no Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys

import pytest
import soundfile
from made_corpora import make_corpus, said
from test_studio import write_report

from parlure.speech.audio import SAMPLE_RATE
from parlure.speech.synth import Voice, synthesize

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = os.environ.get("PARLURE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: set PARLURE_CHROMIUM")
FLAGS = [
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip
SENTENCE = "Le magasin est ouvert mercredi à seize heures."


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    path = tmp_path_factory.mktemp("spoken") / "spoken.wav"
    soundfile.write(path, synthesize(SENTENCE, Voice("fr")), SAMPLE_RATE, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def url(spoken, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    end = soundfile.info(spoken).duration
    corpus = make_corpus(folder / "corpus", said("a", SENTENCE, 0.0, end, split="test", recording=str(spoken)))
    report = write_report(folder / "report", ["a"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "parlure.cli", "serve", "nano", "again=nano", "--port", str(port),
        "--corpus", str(corpus), "--report", str(report),
    ]  # fmt: skip
    environment = os.environ | {"PARLURE_TOKEN": "secret"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        yield server.stdout.readline().strip().removesuffix("v1")
        server.terminate()


@pytest.fixture
def page(spoken, url):
    with sync_api.sync_playwright() as playwright:
        flags = [*FLAGS, f"--use-file-for-fake-audio-capture={spoken}"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page()
        page.context.grant_permissions(["microphone"])
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("request", lambda r: r.url.startswith((url, "blob:", "data:")) or page.wrong.append(r.url))
        page.goto(url)
        yield page
        assert page.wrong == []  # no error, nothing from elsewhere
        browser.close()


def enter(page):
    page.fill("#token", "secret")
    page.keyboard.press("Enter")
    page.wait_for_selector("#room:not([hidden])")


def test_token_then_a_test_utterance_by_keyboard_alone(page):
    assert page.is_hidden("#room")
    page.fill("#token", "wrong")
    page.keyboard.press("Enter")
    enter(page)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_selector("#list button")
    page.keyboard.press("j")
    page.wait_for_selector("#legend:not(:empty)", timeout=60_000)
    assert page.inner_text("#said") == SENTENCE
    heard = [page.inner_text(f"#{side}-phrases") for side in ("left", "right")]
    assert "magasin" in heard[0] and heard[0] == heard[1]
    assert page.inner_text("#list button").endswith(SENTENCE)


def test_speaking(page):
    enter(page)
    page.evaluate("document.activeElement.blur()")
    page.select_option("#language", "fr")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("r")
    page.wait_for_selector("#record[aria-pressed=true]")
    page.wait_for_timeout(4_000)
    page.keyboard.press("r")
    page.wait_for_selector("#legend:not(:empty)", timeout=60_000)
    assert page.inner_text("#what").startswith("recorded at")
    assert page.inner_text("#legend") == "Both say the same."
    assert len(page.inner_text("#left-phrases")) > 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phones_width(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    enter(page)
    page.wait_for_selector("#list button")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
