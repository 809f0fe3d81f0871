"""Live sessions: phrases by their pauses, partial texts that settle, bounded memory, errors that are told."""

import asyncio
import json
from contextlib import suppress

import numpy as np
import pytest
import websockets
from hypothesis import given
from hypothesis import strategies as st
from serving import running
from spoken import spoken

from parlure.shipping.server.limits import Limits
from parlure.shipping.server.models import ServedModel
from parlure.shipping.server.phrase import LONGEST_S, Agreement, Phrase
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.with_torch import TorchEngine

START = {"type": "start", "model": "nano", "language": "fr"}
SENTENCES = ["Demain matin, un miroir est fragile.", "Nous arrivons demain matin."]
PAUSE = np.zeros(16_000, np.float32)


@pytest.fixture(scope="module")
def sounds():
    return [0.5 * sound for sound in spoken(SENTENCES)]


@pytest.fixture(scope="module")
def address(nano):
    served = {"nano": ServedModel("nano", TorchEngine(nano), 0, "")}
    with running(served, print, token="s3cret", limits=Limits(live=2, live_idle_s=2.0)) as url:
        yield url.replace("http", "ws") + "/v1/live"


def talk(address, messages, start=None, header="Bearer s3cret", **settings):
    """All that the server says to these messages, and the code it closes with."""

    async def session():
        headers = {"Authorization": header} if header else {}
        async with websockets.connect(address, additional_headers=headers, **settings) as socket:
            await socket.send(json.dumps(START if start is None else start))
            for message in messages:
                await socket.send(message)
            said = []
            with suppress(websockets.ConnectionClosed):
                while True:
                    said.append(json.loads(await socket.recv()))
            return said, socket.close_code

    return asyncio.run(session())


def pcm(samples, encoding="<i2"):
    return (samples * 32_767).astype("<i2").tobytes() if encoding == "<i2" else samples.astype("<f4").tobytes()


def in_chunks(samples, encoding="<i2", n=3_200):
    return [pcm(samples[first : first + n], encoding) for first in range(0, len(samples), n)]


def test_phrases_come_as_they_are_spoken(address, sounds, nano):
    speech = np.concatenate([PAUSE, sounds[0], PAUSE, sounds[1]])
    said, code = talk(address, [*in_chunks(speech), '{"type": "stop"}'])
    kinds = [one["type"] for one in said]
    assert kinds[0] == "ready" and kinds[-1] == "done" and code == 1000
    assert set(kinds) == {"ready", "partial", "final", "done"}
    finals = [one for one in said if one["type"] == "final"]
    assert len(finals) == 2 and finals[0]["language"] == "fr"
    assert finals[1]["text"] == "Nous arrivons demain matin."
    assert finals[0]["start"] == pytest.approx(1.0, abs=0.2)
    assert finals[1]["start"] == pytest.approx(2 + len(sounds[0]) / 16_000, abs=0.2)
    assert said[-1]["duration"] == pytest.approx(len(speech) / 16_000, abs=0.001)
    assert kinds.index("partial") < kinds.index("final")
    whole, _ = talk(address, [*in_chunks(speech, "<f4"), '{"type": "stop"}'], {**START, "encoding": "pcm_f32le"})
    assert [one["text"] for one in whole if one["type"] == "final"] == [one["text"] for one in finals]


def test_silence_says_nothing(address):
    said, _ = talk(address, [*in_chunks(np.zeros(160_000, np.float32), n=80_000), '{"type": "stop"}'])
    assert said == [{"type": "ready"}, {"type": "done", "duration": 10.0}]


@pytest.mark.parametrize(
    ("start", "messages", "message", "code"),
    [
        ({"type": "hello"}, [], 'the first message is {"type": "start", "model": …}', 1008),
        ({**START, "model": "x"}, [], "there is no model 'x': there is nano", 1008),
        ({**START, "model": 3}, [], "model is no text", 1008),
        ({**START, "language": "xx"}, [], "this Whisper has no language 'xx'", 1008),
        ({**START, "encoding": "mp3"}, [], "encoding is pcm_s16le or pcm_f32le", 1008),
        ({**START, "sample_rate": 8000}, [], "sample_rate is 16000", 1008),
        ({**START, "beam_size": 5}, [], "there is no beam_size here", 1008),
        (START, [b"abc"], "3 bytes are no whole samples of pcm_s16le", 1008),
        (
            {**START, "encoding": "pcm_f32le"},
            [np.full(4, np.nan, "<f4").tobytes()],
            "some samples are no numbers",
            1008,
        ),
        (START, ["{"], 'sound, or {"type": "stop"}, is what may come now', 1008),
        (START, [], "nothing came for 2 s", 1008),
    ],
)
def test_errors_are_told_before_it_closes(address, start, messages, message, code):
    said, closed = talk(address, messages, start)
    assert said[-1]["type"] == "error" and message in said[-1]["error"]["message"]
    assert closed == code


def test_the_token_comes_in_the_header_or_the_first_message(address):
    said, _ = talk(address, [], header=None)
    assert said == [{"type": "error", "error": {
        "message": "this needs a token in the first message", "type": "invalid_request_error", "param": "token",
        "code": "invalid_api_key",
    }}]  # fmt: skip
    said, _ = talk(address, ['{"type": "stop"}'], {**START, "token": "s3cret"}, header=None)
    assert [one["type"] for one in said] == ["ready", "done"]


def test_pages_of_others_get_no_session(address):
    with pytest.raises(websockets.InvalidStatus, match="403"):
        talk(address, [], origin="http://evil.example")


def test_only_so_many_sessions(address):
    async def sessions():
        async with websockets.connect(address) as one, websockets.connect(address) as other:
            await asyncio.sleep(0.1)
            async with websockets.connect(address) as third:
                said = json.loads(await third.recv())
                await third.wait_closed()
                return said["error"]["message"], third.close_code, one.close_code, other.close_code

    assert asyncio.run(sessions()) == ("2 live sessions are open: come again", 1013, None, None)


def test_a_phrase_without_a_pause_is_cut_where_it_is_quietest():
    phrase, tone = Phrase(), np.sin(np.arange(8_000, dtype=np.float32)) * np.float32(0.3)
    for half in range(56):
        phrase.add(tone * (0.1 if half == 50 else 1.0))
        assert phrase.is_over() == (half == 55)
    piece = phrase.take()
    assert 25.0 < piece.end <= 25.5 and piece.start == 0.0 and len(piece.samples) <= LONGEST_S * 16_000
    assert phrase.so_far().start == pytest.approx(piece.end, abs=0.05) and not phrase.is_over()
    assert phrase.reached_s == 28.0


def test_of_silence_little_is_kept():
    phrase = Phrase()
    for _ in range(1_000):
        phrase.add(np.zeros(8_000, np.float32))
    assert not phrase.is_spoken() and len(phrase.so_far().samples) <= 4_800 and phrase.reached_s == 500.0


WORDS = st.lists(st.sampled_from("abc"), max_size=6)


@given(st.lists(WORDS, max_size=8))
def test_what_is_settled_stays(passes):
    agreement, before, stable_before = Agreement(), None, ""
    for words in passes:
        stable, unstable = agreement.update(" ".join(words))
        assert stable.startswith(stable_before)
        assert len(stable.split()) + len(unstable.split()) >= len(words)
        if stable != stable_before:  # only what two passes in a row begin with is added
            n = len(stable.split())
            assert words[len(stable_before.split()) : n] == before[len(stable_before.split()) : n]
        before, stable_before = words, stable


def test_two_passes_settle_what_they_share():
    agreement = Agreement()
    assert agreement.update("nous arrivons deux") == ("", "nous arrivons deux")
    assert agreement.update("nous arrivons demain matin") == ("nous arrivons", "demain matin")
    assert agreement.update("vous") == ("nous arrivons", "")


def test_a_phrase_is_decoded_as_a_clip_is(nano, sounds):
    """What a session hears of a phrase is what a file of it would give."""
    phrase = Phrase()
    for first in range(0, len(sounds[1]), 8_000):
        phrase.add(sounds[1][first : first + 8_000])
    piece = phrase.so_far()
    (found,) = TorchEngine(nano).decode([Clip("a", 2.0, lambda: piece.samples)], DecodingOptions("fr"))
    assert found.text == "Nous arrivons demain matin."
