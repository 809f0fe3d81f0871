"""The server, asked by OpenAI's own client over a real socket: every form of answer, every error."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import numpy as np
import openai
import pytest
import soundfile
from serving import running
from spoken import spoken
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tuned_runs import tuned_run

from parlure.shipping.server.limits import Limits
from parlure.shipping.server.models import ServedModel, named_models, open_models
from parlure.shipping.server.refusal import RefusedError
from parlure.shipping.server.sound import samples_of
from parlure.speech.audio import read_audio, write_audio
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.engines.with_torch import TorchEngine
from parlure.transcribing.transcribe import transcribe

SENTENCES = ["Demain matin, un miroir est fragile.", "Nous arrivons demain matin.", "Merci beaucoup, bonne soirée."]
LIMITS = Limits(upload_mb=1.5, upload_s=2.0, duration_s=40.0, wait_s=0.1)


@pytest.fixture(scope="module")
def sounds():
    return [0.5 * sound for sound in spoken(SENTENCES)]


@pytest.fixture(scope="module")
def files(sounds, tmp_path_factory):
    place = tmp_path_factory.mktemp("sounds")
    pause = np.zeros(12_000, np.float32)
    long = np.concatenate([part for sound in sounds * 5 for part in (sound, pause)])
    for name, sound in (("short", sounds[0]), ("second", sounds[1]), ("third", sounds[2]), ("long", long)):
        write_audio(place / f"{name}.flac", sound)
    write_audio(place / "endless.flac", np.zeros(41 * 16_000, np.float32))
    (place / "text.wav").write_text("no sound at all\n" * 99)
    (place / "empty.wav").touch()
    (place / "list.m3u8").write_text(f"#EXTM3U\n#EXTINF:5,\n{place / 'short.flac'}\n#EXT-X-ENDLIST\n")
    return place


@pytest.fixture(scope="module")
def served(nano):
    return {"nano": ServedModel("nano", TorchEngine(nano), 1_700_000_000, "nano, by itself")}


@pytest.fixture(scope="module")
def log():
    return []


@pytest.fixture(scope="module")
def url(served, log):
    with running(served, log.append, limits=LIMITS) as address:
        yield address


@pytest.fixture(scope="module")
def client(url):
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def plain(files, nano):
    """What ``parlure transcribe`` writes."""
    (heard,) = (found.text for _, found in transcribe([files / "short.flac"], model=TorchEngine(nano), language="fr"))
    return heard


def ask(client, path, **settings):
    with path.open("rb") as file:
        return client.audio.transcriptions.create(file=file, **{"model": "nano", "language": "fr"} | settings)


def logged(lines, part, wait_s=5.0):
    """The lines with a part; they are written when the answer has been read already."""
    end_s = time.monotonic() + wait_s
    while not (found := [line for line in lines if part in line]) and time.monotonic() < end_s:
        time.sleep(0.02)
    return found


def test_models_are_listed(client):
    assert [model.id for model in client.models.list()] == ["nano"]
    assert client.models.retrieve("nano").created == 1_700_000_000
    with pytest.raises(openai.NotFoundError, match="there is no model 'gpt': there is nano"):
        client.models.retrieve("gpt")


def test_the_text_is_that_of_transcribe(client, files, plain):
    found = ask(client, files / "short.flac")
    assert found.text == plain != ""
    assert found.usage.type == "duration" and found.usage.seconds == pytest.approx(1.85, abs=0.2)
    assert ask(client, files / "short.flac", response_format="text") == plain + "\n"
    assert (
        ask(client, files / "short.flac", language=openai.omit, temperature=0, chunking_strategy="auto").text == plain
    )


def test_phrases_and_words(client, files):
    srt = ask(client, files / "short.flac", response_format="srt")
    assert srt.startswith("1\n00:00:00,000 --> 00:00:01,")
    assert ask(client, files / "short.flac", response_format="vtt").startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.")
    both = ask(
        client, files / "short.flac", response_format="verbose_json", timestamp_granularities=["segment", "word"]
    )
    assert both.language == "french" and both.duration == both.usage.seconds
    (segment,) = both.segments
    assert segment.text == both.text and segment.text in srt
    assert (segment.id, segment.seek, segment.temperature) == (0, 0, 0.0)
    assert 0 <= segment.start < segment.end <= both.duration + 0.01
    assert -5 < segment.avg_logprob < 0 <= segment.no_speech_prob < 0.5 and 0 < segment.compression_ratio < 2.4
    assert len(segment.tokens) > 3
    assert " ".join(word.word for word in both.words) == both.text
    assert all(segment.start <= word.start <= word.end <= segment.end for word in both.words)
    words = ask(client, files / "short.flac", response_format="verbose_json", timestamp_granularities=["word"])
    assert words.words == both.words and words.segments is None
    default = ask(client, files / "short.flac", response_format="verbose_json")
    assert default.segments == both.segments and default.words is None


def test_long_recordings_and_streams(client, files, plain):
    whole = ask(client, files / "long.flac")
    assert whole.usage.seconds > 30 and "Nous arrivons" in whole.text
    *deltas, done = ask(client, files / "long.flac", stream=True)
    assert [event.type for event in deltas] == ["transcript.text.delta"] * len(deltas) and len(deltas) > 2
    assert "".join(event.delta for event in deltas) == done.text == whole.text
    assert done.type == "transcript.text.done"
    starts = [event.start for event in deltas]  # beside what OpenAI has
    assert starts == sorted(starts) and starts[-1] > 10
    delta, done = ask(client, files / "short.flac", stream=True)
    assert delta.delta == done.text == plain


def test_translation(client, files):
    with (files / "short.flac").open("rb") as file:
        found = client.audio.translations.create(file=file, model="nano", response_format="verbose_json")
    assert found.language == "english" and found.task == "translate" and found.segments


def test_a_prompt_is_read(client, files, nano, sounds):
    told = DecodingOptions("fr", prompt="Une carte postale.")
    (alone,) = TorchEngine(nano).decode([Clip("a", 2.0, lambda: sounds[0])], told)
    assert ask(client, files / "short.flac", prompt="Une carte postale.").text == alone.text


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"model": "x"}, openai.NotFoundError, "there is no model 'x': there is nano"),
        ({"model": ""}, openai.BadRequestError, "no model is named: GET /v1/models lists them"),
        ({"language": "xx"}, openai.BadRequestError, "this Whisper has no language 'xx'"),
        ({"temperature": 0.5}, openai.BadRequestError, "temperature can only be 0: the most probable token"),
        ({"temperature": "hot"}, openai.BadRequestError, "temperature 'hot' is no number"),
        ({"response_format": "diarized_json"}, openai.BadRequestError,
         "response_format cannot be 'diarized_json': json, text, srt, vtt or verbose_json"),
        ({"include": ["logprobs"]}, openai.BadRequestError, r"there is no include\[\] here"),
        ({"stream": True, "response_format": "srt"}, openai.BadRequestError, "stream goes with response_format=json"),
        ({"timestamp_granularities": ["word"]}, openai.BadRequestError, "timestamp_granularities goes with"),
        ({"timestamp_granularities": ["x"], "response_format": "verbose_json"}, openai.BadRequestError,
         r"timestamp_granularities\[\] cannot be 'x': segment or word"),
        ({"chunking_strategy": {"type": "server_vad"}}, openai.BadRequestError, "there is no chunking_strategy"),
        ({"prompt": "mot " * 300}, openai.BadRequestError, "the prompt has 600 tokens, and Whisper reads 223"),
        ({"extra_body": {"model": ["nano", "nano"]}}, openai.BadRequestError, r"there is no model\[\] here"),
    ],
)  # fmt: skip
def test_what_cannot_be_heeded_is_refused(client, files, settings, kind, message):
    with pytest.raises(kind, match=message) as caught:
        ask(client, files / "short.flac", **settings)
    assert set(caught.value.body) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("text.wav", 400, "the file is no sound that can be decoded: flac, m4a, mp3"),
        ("list.m3u8", 400, "the file is no sound that can be decoded"),  # and no file that it names is read
        ("empty.wav", 400, "the file is empty"),
        ("endless.flac", 413, "the recording lasts 41 s, and 40 s are taken"),
    ],
)
def test_what_is_no_sound_or_too_long_is_refused(client, files, name, status, message):
    with pytest.raises(openai.APIStatusError, match=message) as caught:
        ask(client, files / name)
    assert caught.value.status_code == status and caught.value.param == "file"


def test_many_channels_at_a_high_rate_are_refused(tmp_path):
    soundfile.write(tmp_path / "wide.flac", np.zeros((16_000, 8), np.int16), 192_000, "PCM_16")
    with (tmp_path / "wide.flac").open("rb") as file, pytest.raises(RefusedError) as caught:
        samples_of(file, Limits(duration_s=0.1), tmp_path)
    assert (caught.value.status, caught.value.message) == (
        413, "decoded, the recording takes 1 MB: too many channels at too high a rate"
    )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["wide.flac"]


def test_too_large_is_refused_while_it_arrives(url, client, tmp_path):
    (tmp_path / "large.wav").write_bytes(bytes(4_000_000))
    with pytest.raises(openai.APIStatusError, match=r"a request of at most 1.5 MB is taken") as caught:
        ask(client, tmp_path / "large.wav")
    assert caught.value.status_code == 413

    def endless():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        for _ in range(40):
            yield bytes(100_000)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    found = httpx2.post(f"{url}/v1/audio/transcriptions", content=endless(), headers=headers)
    assert found.status_code == 413 and found.json()["error"]["code"] == "request_too_large"


def test_a_slow_upload_is_given_up_and_harms_nobody(url, client, files):
    def slowly():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        for _ in range(14):
            time.sleep(0.25)
            yield b"-"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(httpx2.post, f"{url}/v1/audio/transcriptions", content=slowly(), headers=headers, timeout=30)
        assert ask(client, files / "short.flac").text
        found = slow.result()
    assert found.status_code == 408 and found.json()["error"]["message"] == "the upload took longer than 2 s"


def test_forms_that_are_none(url):
    for body, message in (
        ({"data": {"model": "nano"}}, "there is no file: send it as the form's field file"),
        ({"content": b"{}", "headers": {"Content-Type": "application/json"}}, "there is no file"),
        ({"files": {"file": ("a.wav", b"x"), "model": ("m", b"nano")}}, "Too many files"),
        ({"data": {"model": "nano", "file": "text"}}, "file is a file"),
        ({"files": {"model": ("m", b"nano")}}, "model is no file"),
        ({"data": {"model": ["nano", "nano"]}}, "model is given twice"),
    ):
        found = httpx2.post(f"{url}/v1/audio/transcriptions", **body)
        assert found.status_code == 400 and message in found.json()["error"]["message"], found.text
    found = httpx2.get(f"{url}/v1/audio/transcriptions")
    assert (found.status_code, found.json()["error"]["code"]) == (405, "wrong_method")
    found = httpx2.get(f"{url}/v2")
    assert (found.status_code, found.json()["error"]["message"]) == (404, "there is nothing at /v2")


def test_pages_of_others_and_other_names_are_refused(url):
    for headers, code in (
        ({"Origin": "http://evil.example"}, "forbidden_origin"),
        ({"Origin": "null"}, "forbidden_origin"),
        ({"Host": "evil.example"}, "forbidden_host"),
    ):
        found = httpx2.get(f"{url}/v1/models", headers=headers)
        assert (found.status_code, found.json()["error"]["code"]) == (403, code)
    assert httpx2.get(f"{url}/v1/models", headers={"Origin": url}).status_code == 200


def test_requests_that_wait_together_are_decoded_together(client, url, files, nano, sounds):
    names = ["short", "second", "third"] * 4
    engine = TorchEngine(nano)
    alone = [engine.decode([Clip("a", 1.0, lambda s=s: s)], DecodingOptions("fr"))[0].text for s in sounds]
    with ThreadPoolExecutor(12) as pool:
        texts = list(pool.map(lambda name: ask(client, files / f"{name}.flac").text, names))
    assert texts == alone * 4
    metrics = httpx2.get(f"{url}/metrics").text
    value = {line.split()[0]: float(line.split()[1]) for line in metrics.splitlines() if not line.startswith("#")}
    assert value["parlure_batch_size_sum"] > value["parlure_batch_size_count"]
    assert value['parlure_requests_total{route="transcriptions",status="200"}'] >= 12
    assert value["parlure_audio_seconds_total"] > 20 and value["parlure_work_seconds_total"] > 0
    assert value["parlure_queue_length"] == 0


def test_the_log_has_no_text(client, files, log):
    text = ask(client, files / "short.flac", prompt="Zanzibar").text
    rows = [json.loads(line) for line in logged(log, "audio_s")]
    assert {"time", "client", "method", "path", "status", "seconds", "model", "audio_s"} <= set(rows[-1])
    assert not [line for line in log if "Zanzibar" in line or text in line]


def test_health(url):
    assert httpx2.get(f"{url}/health").json() == {"status": "ready", "queue": 0, "models": ["nano"]}


def test_a_token_is_asked_for(served, files):
    async def hello(request):
        return PlainTextResponse("hello")

    lines, paths = [], ("/", "/v1/more", "/studio/data/more")
    with running(served, lines.append, token="s3cret", pages=[Route(path, hello) for path in paths]) as address:
        assert [httpx2.get(f"{address}{path}").status_code for path in paths] == [200, 401, 401]
        good = openai.OpenAI(base_url=f"{address}/v1", api_key="s3cret", max_retries=0)
        bad = openai.OpenAI(base_url=f"{address}/v1", api_key="wrong", max_retries=0)
        assert [model.id for model in good.models.list()] == ["nano"]
        with pytest.raises(openai.AuthenticationError, match="this needs the header Authorization: Bearer TOKEN"):
            ask(bad, files / "short.flac")
        assert httpx2.get(f"{address}/metrics").status_code == 401
        assert httpx2.get(f"{address}/health").json() == {"status": "ready", "queue": 0}
        found = httpx2.get(f"{address}/v1/models", headers={"Host": "any.example", "Authorization": "Bearer s3cret"})
        assert found.status_code == 200
    assert not [line for line in lines if "s3cret" in line]


class Slow:
    """A model that takes its time."""

    model = "slow"

    def __init__(self, engine, seconds):
        self._engine, self._seconds, self.tokenizer = engine, seconds, engine.tokenizer

    def decode(self, clips, options, progress=None):
        time.sleep(self._seconds)
        return self._engine.decode(clips, options, progress)

    def windows(self, samples, options):
        for window in self._engine.windows(samples, options):
            time.sleep(self._seconds)
            yield window


def test_a_full_queue_and_what_takes_too_long(served, files):
    slow = {"nano": ServedModel("nano", Slow(served["nano"].engine, 1.0), 0, "")}
    with running(slow, print, limits=Limits(queue=1, request_s=0.3)) as address:
        client = openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)

        def status(name, **settings):
            try:
                ask(client, files / f"{name}.flac", **settings)
            except openai.APIStatusError as error:
                return error.status_code, error.response.headers.get("retry-after"), error.message
            return 200, None, ""

        with ThreadPoolExecutor(2) as pool:
            both = sorted(pool.map(status, ["short", "second"]))
        assert [one[:2] for one in both] == [(429, "2"), (504, None)]
        assert "1 requests are being answered: come again" in both[0][2]
        assert "this took longer than 0.3 s and was given up" in both[1][2]
        with pytest.raises(openai.APIError, match="this took longer than"):
            list(ask(client, files / "long.flac", stream=True))
    lines = []
    with running(slow, lines.append, limits=Limits(held_s=2.0)) as address:
        client = openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
        with ThreadPoolExecutor(2) as pool:
            both = sorted(pool.map(status, ["short", "short"]))
            assert [one[0] for one in both] == [200, 429]
            assert "recordings of many hours are being decoded: come again" in both[1][2]
        with pytest.raises(openai.APITimeoutError):
            ask(client.with_options(timeout=0.5), files / "short.flac")
        assert status("short")[0] == 200  # nothing of what was given up is held
        assert [json.loads(line)["status"] for line in logged(lines, '"status": 499')] == [499]


def test_names_of_models(tmp_path):
    (tmp_path / "a=b").mkdir()
    assert named_models(["nano", "x=nano", str(tmp_path / "a=b")]) == {
        "nano": "nano", "x": "nano", "a=b": str(tmp_path / "a=b"),
    }  # fmt: skip


def test_adapters_share_a_base(tmp_path, files):
    runs = {"agents": tuned_run(tmp_path / "one", 1), "dora": tuned_run(tmp_path / "two", 2, method="dora")}
    lokr = tuned_run(tmp_path / "three", 3, method="lokr")
    named = named_models(["base=nano", *(f"{name}={run}" for name, run in runs.items()), f"alone={lokr}"])
    opened = open_models(named)
    assert [one.how for one in opened.values()] == [
        "nano, the base", f"{runs['agents']}, an adapter over a base that is shared",
        f"{runs['dora']}, an adapter over a base that is shared", f"{lokr}, by itself",
    ]  # fmt: skip
    with running(opened, print) as address:
        client = openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
        assert [model.id for model in client.models.list()] == ["base", "agents", "dora", "alone"]
        with ThreadPoolExecutor(3) as pool:
            found = list(
                pool.map(
                    lambda name: ask(client, files / "short.flac", model=name, response_format="verbose_json"),
                    ["base", *runs],
                )
            )
    sure = [one.segments[0].avg_logprob for one in found]
    assert len({round(one, 4) for one in sure}) == 3
    samples = read_audio(files / "short.flac")
    for one, way in zip(found, ("nano", *map(str, runs.values())), strict=True):
        (window,) = open_engine(way).windows(samples, DecodingOptions("fr"))
        assert one.segments[0].avg_logprob == pytest.approx(window.avg_logprob, abs=1e-4)
        assert one.text == " ".join(phrase.text for phrase in window.phrases)
