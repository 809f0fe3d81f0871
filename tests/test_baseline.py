"""Untuned models by rate and price: what is counted, what is advised and why, and that a killed table goes on."""

import json
from dataclasses import replace

import numpy as np
import pytest
from other_models import write_parakeet
from scored import EVIL

from parlure import cli
from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.scoring.baseline import baseline_table, markdown
from parlure.scoring.page.baseline import baseline_page
from parlure.scoring.skills.baseline import baseline, settings_of
from parlure.scoring.utterances import read_jsonl, score_utterances
from parlure.speech.synth import Voice, synthesize
from parlure.speech.voice import spans_in
from parlure.transcribing.decode import Clip, DecodingOptions, decode
from parlure.transcribing.engines.with_torch import TorchEngine
from parlure.transcribing.engines.without_pauses import POLICY, WithoutPauses

SAID = "le chat noir dort bien sur la grande table ronde"


def scored(n_speakers=12, **n_wrong):
    """Each system gets the same number of each speaker's thirty words wrong, give or take one."""

    def heard(n, speaker, number):
        wrong = n + (number == speaker % 3) * (1 if speaker % 2 else -1) * (n > 0)
        return " ".join(["zut"] * wrong + SAID.split()[wrong:])

    return score_utterances(
        [
            {"id": f"{speaker}-{number}", "speaker": f"s{speaker}", "session": f"c{speaker}", "duration_s": 3.0,
             "language": "fr", "reference": SAID,
             "hypotheses": {name.replace("_", " "): heard(n, speaker, number) for name, n in n_wrong.items()}}
            for speaker in range(n_speakers)
            for number in range(3)
        ],
        ["fr"],
    )  # fmt: skip


def systems(**work_s):
    """Systems that took so long for an hour of sound; None: made elsewhere."""
    return {
        name.replace("_", " "): {
            "model": name, "hash": None, "setting": "plain", "n_parameters": 10_900_000, "n_bytes": 22_000_000,
            "decode": None if work is None else {"audio_s": 3600.0, "work_s": work},
        }
        for name, work in work_s.items()
    }  # fmt: skip


def second(utterances, n_wrong, share=1.0):
    """Another person's transcripts, with so many words of ten replaced."""
    text = " ".join(["tiens"] * n_wrong + SAID.split()[n_wrong:])
    return {one.id: text for one in utterances[: round(share * len(utterances))]}


# ------------------------------------------------------------------------------------------ the table and its answer


def test_the_table_is_sorted_and_priced():
    heard = scored(small=4, large=1, cloud=2)
    table = baseline_table(heard, systems(small=60.0, large=600.0, cloud=None), "fr", price_per_hour=3.0)
    assert list(table["systems"]) == ["large", "cloud", "small"] and table["best"] == "large"
    large, cloud, small = table["systems"].values()
    assert large["wer"] | {"ci95": None} == {"S": 36, "D": 0, "I": 0, "N": 360, "rate": 10.0, "ci95": None}
    assert "comparison" not in large
    assert small["comparison"]["difference"] == pytest.approx(30.0) and small["comparison"]["verdict"] == "worse"
    assert small["comparison"]["p_holm"] >= small["comparison"]["p_value"]
    assert (large["price_per_audio_hour"], small["price_per_audio_hour"]) == (0.5, 0.05)
    assert cloud["work_s_per_audio_hour"] is cloud["price_per_audio_hour"] is None
    lines = markdown(table).splitlines()
    assert lines[2].startswith("| large | 10.0 [") and lines[2].endswith("| lowest | 600 | 0.500 | 10.9 M | 22 |")
    assert "| worse | 60 | 0.050 |" in lines[4] and "| worse | – | – |" in lines[3]
    assert "The lowest of 3 rates was found on the utterances that it is measured on" in table["warnings"][0]


def test_the_cheapest_of_those_that_lose_little_is_taken():
    heard = scored(small=1, large=1, tiny=4)
    table = baseline_table(heard, systems(small=60.0, large=600.0, tiny=6.0), "fr")
    assert table["answer"]["take"] == "small"  # as good as large; tiny is not
    heard = scored(fast=2, slow=1)
    table = baseline_table(heard, systems(fast=60.0, slow=600.0), "fr")
    assert table["answer"]["take"] == "slow"
    generous = baseline_table(heard, systems(fast=60.0, slow=600.0), "fr", worth=20.0)
    assert generous["answer"]["take"] == "fast"
    said = generous["answer"]["sentence"]
    assert "; slow has 10.0 %, which is at most 1" in said and "points less, for 10.0 times the work." in said


@pytest.mark.parametrize(
    ("n_wrong", "people", "n_speakers", "verdict", "told"),
    [
        (4, 1, 12, "tune",
         "A tuned model would have to beat it, 40.0 %; two people are 10.0 % apart on 36 utterances, so there are "
         "+30.0 points [+"),
        (1, 1, 12, "do not tune",
         "Do not tune for word errors: two people are 10.0 % apart on 36 utterances, and it is 0.0 points ["),
        (1, None, 12, "undecided",
         "how far two people would be apart on these utterances is not known, so neither is what tuning can gain: have "
         "some transcribed a second time, and give them with --floor."),
        (0, None, 12, "do not tune",
         "Do not tune for word errors: it gets at most 0.0 % of the words wrong, and a gain below 2 points was said "
         "not to be worth it."),
        (4, 1, 5, "undecided", "are too few speakers to tell: have more transcribed a second time."),
    ],
)  # fmt: skip
def test_the_answer_and_its_reason(n_wrong, people, n_speakers, verdict, told):
    heard = scored(n_speakers, it=n_wrong)
    other = None if people is None else second(heard, people)
    worth = 5.0 if people == n_wrong else 2.0
    table = baseline_table(heard, systems(it=60.0), "fr", second=other, worth=worth)
    assert table["answer"]["verdict"] == verdict and told in table["answer"]["sentence"]
    guess = "a guess from 5 independent groups of speakers" in table["answer"]["sentence"]
    assert guess == (n_speakers == 5) == any("no verdict below 8" in one for one in table["warnings"])


def test_what_may_be_nothing_is_undecided():
    heard = scored(it=1)
    texts = second(heard, 1)
    texts |= {id_: SAID for id_ in list(texts)[::5]}
    table = baseline_table(heard, systems(it=60.0), "fr", second=texts, worth=0.5)
    low, high = table["floor"]["systems"]["it"]["ci95"]
    assert table["answer"]["verdict"] == ("undecided" if low <= 0 <= 0.5 <= high else "tune")
    few = baseline_table(heard, systems(it=60.0), "fr", second=second(heard, 0, 1 / 36), worth=0.5)
    assert few["answer"]["verdict"] == "undecided" and few["floor"]["n_utterances"] == 1


def test_models_and_people_are_compared_on_what_both_transcribed():
    heard = scored(it=4)
    floor = baseline_table(heard, systems(it=60.0), "fr", second=second(heard, 1, 0.75))["floor"]
    assert floor["n_utterances"] == 27 and floor["wer"]["N"] == 270 and floor["wer"]["S"] == 27
    assert floor["systems"]["it"]["n_blocks"] == 9


# ------------------------------------------------------------------------------------------ the command


@pytest.fixture
def few(corpus, monkeypatch):
    """Three short utterances of test, and one that is to be translated."""
    own = sorted(corpus.select("test"), key=lambda u: u.duration_s)[:4]
    chosen = (*own[:3], replace(own[3], task="translate"))
    monkeypatch.setattr(Corpus, "load", lambda folder: replace(corpus, utterances=chosen))
    return own[:3]


def test_the_command(few, nano, corpus_folder, tmp_path, capsys):
    other = write_parakeet(tmp_path / "parakeet")
    (tmp_path / "cloud.jsonl").write_text("".join(json.dumps({"id": u.id, "text": u.text}) + "\n" for u in few))
    (tmp_path / "second.jsonl").write_text(json.dumps({"id": few[0].id, "text": few[0].text + " là"}) + "\n")
    asked = ["baseline", str(corpus_folder), "--models", f"nano,{other}", "--also", "vad,language,beam"]
    asked += ["--prompt", "alma", "--texts", f"cloud={tmp_path / 'cloud.jsonl'}", "--price-per-hour", "2"]
    asked += ["--floor", str(tmp_path / "second.jsonl"), "--out", str(tmp_path / "out")]
    assert cli.run(asked) == 0
    told = capsys.readouterr()
    table = json.loads((tmp_path / "out" / "baseline.json").read_text())
    assert {*table["systems"]} == {"cloud", "nano", "nano + vad", "nano + language left open", "nano + beam 5",
                                   "nano + prompt", other, f"{other} + vad"}  # fmt: skip
    assert table["best"] == "cloud" and table["systems"]["cloud"]["wer"]["rate"] == 0
    assert table["floor"]["wer"]["I"] == 1
    assert table["warnings"][:2] == [
        "1 utterances that are to be translated were left out.",
        f"Not tried with {other}, no Whisper: language left open, beam 5, prompt.",
    ]
    assert told.out == markdown(table) and table["answer"]["sentence"] in told.err
    nanos = table["systems"]["nano"]
    assert nanos["n_parameters"] == TorchEngine(nano).n_parameters and nanos["decode"]["window"] == "full"
    assert table["systems"][other]["decode"]["window"] == "its own length and up to 1 s of silence"
    assert table["systems"]["nano + beam 5"]["decode"]["beam_size"] == 5
    assert table["systems"]["nano + prompt"]["decode"]["prompt"] == "alma"
    assert table["systems"]["nano + language left open"]["decode"]["language"] == "left to the model"
    assert table["systems"]["nano + vad"]["decode"]["voice_activity_detection"]["detector"] == "Silero"
    lines = [line for _, line in read_jsonl(tmp_path / "out" / "utterances.jsonl")]
    assert [line["id"] for line in lines] == [u.id for u in few]
    plain = next((tmp_path / "out" / "hypotheses").glob("nano-??????"))
    kept = [line for _, line in read_jsonl(plain / "hyps.jsonl")]
    assert [line["text"] for line in kept] == [line["hypotheses"]["nano"] for line in lines]
    assert not list((tmp_path / "out").glob("decoding-*"))


def test_interrupted_it_goes_on(few, corpus_folder, tmp_path):
    seen = []

    def stop(done, total):
        seen.append((done, total))
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        baseline(corpus_folder, ["nano"], tmp_path / "out", also=["beam"], progress=stop)
    kept = list((tmp_path / "out").glob("decoding-nano-*"))
    assert len(kept) == 1 and not (tmp_path / "out" / "baseline.json").exists()
    text = kept[0].read_text()
    seen.clear()
    table = baseline(corpus_folder, ["nano"], tmp_path / "out", also=["beam"], progress=lambda *at: seen.append(at))
    assert seen == [(3, 6), (6, 6)]
    part = json.loads(text.splitlines()[1])
    lines = {line["id"]: line for _, line in read_jsonl(tmp_path / "out" / "utterances.jsonl")}
    assert {row["id"]: row["text"] for row in part["hypotheses"]} == {
        id_: line["hypotheses"]["nano"] for id_, line in lines.items()
    }
    assert table["systems"]["nano"]["decode"]["work_s"] == pytest.approx(part["work_s"], abs=0.01)


def test_pauses_are_cut_out_and_silence_is_not_decoded(nano):
    pause, said = np.zeros(64_000, np.float32), synthesize("Nous arrivons demain.", Voice("fr+belinda", 170))
    sounds = {"spoken": np.concatenate([pause, said, pause]), "silent": pause}
    clips = [Clip(name, len(sound) / 16_000, lambda sound=sound: sound) for name, sound in sounds.items()]
    done = []
    options = DecodingOptions("fr", max_new_tokens=20)
    spoken, silent = WithoutPauses(TorchEngine(nano)).decode(clips, options, done.append)
    assert sum(done) == 2 and silent.text == "" and silent.no_speech_prob is None
    spans = spans_in(sounds["spoken"], POLICY)
    assert [round(one.start, 1) for one in spans] == [3.6] and spans[0].end < 4.5 + len(said) / 16_000
    cut = sounds["spoken"][round(spans[0].start * 16_000) : round(spans[0].end * 16_000)]
    assert spoken == decode(nano.model, nano.tokenizer, [Clip("spoken", 2.0, lambda: cut)], options)[0]


# ------------------------------------------------------------------------------------------ the page, refusals


def test_the_page_is_whole_and_safe():
    utterances = scored(small=4, large=1)
    heard = [replace(one, reference=EVIL, hypotheses={**one.hypotheses, "small": EVIL}) for one in utterances]
    table = baseline_table(utterances, systems(small=60.0, large=600.0), "fr", second=second(utterances, 1))
    table["data"] = {"corpus": EVIL, "split": "test", "hours": 0.03}
    page = baseline_page(heard, table)
    assert "<script>alert" not in page and "<img src=x" not in page and "&lt;script&gt;" in page
    assert page.count("<svg") == 2 and "Every system" in page and "10.9 M" in page and "22 MB" in page
    assert "Two people: 10.0 %" in page and table["answer"]["sentence"].split(";")[0] in page
    alone = baseline_table(utterances, systems(small=60.0, large=None), "fr")
    assert baseline_page(utterances, alone | {"data": table["data"]}).count("<svg") == 1  # one price is no picture


def test_what_cannot_be_asked_is_refused(few, corpus_folder, corpus, tmp_path, monkeypatch):
    def refused(message, hint, models=("nano",), **more):
        with pytest.raises(ParlureError, match=message) as caught:
            baseline(corpus_folder, models, tmp_path / "out", **more)
        assert hint in caught.value.hint
        assert not (tmp_path / "out").exists()

    refused("there is no model to try", "for example --models openai/whisper-small", models=())
    refused("the model nano is named twice", "name each once; --also tries settings", models=("nano", "nano"))
    refused("there is no setting called vat", "--also takes vad, language, beam", also=["vat"])
    refused("--texts cloud is not NAME=FILE", "for example --texts cloud=cloud.jsonl", texts=["cloud"])
    refused("two systems are called nano", "give each a name of its own", texts=["nano=x.jsonl"])
    from transformers import GPT2Config

    GPT2Config().save_pretrained(tmp_path / "gpt2")
    refused(
        "is a gpt2 model, which transcribes nothing",
        "name a Whisper, wav2vec2, Parakeet or Moonshine",
        models=(str(tmp_path / "gpt2"),),
    )
    (tmp_path / "some.jsonl").write_text(json.dumps({"id": few[0].id, "text": "a"}) + "\n")
    told = r"some.jsonl lacks 2 of 3 utterances, .* the first"
    refused(told, "every system must have transcribed every utterance", texts=[f"cloud={tmp_path / 'some.jsonl'}"])
    (tmp_path / "none.jsonl").write_text('{"id": "x", "text": "a"}\n')
    refused("none.jsonl has none of the 3 utterances of the split", "its ids must be those of the corpus's manifest",
            floor=tmp_path / "none.jsonl")  # fmt: skip
    only = tuple(replace(u, task="translate") for u in few)
    monkeypatch.setattr(Corpus, "load", lambda folder: replace(corpus, utterances=only))
    refused("has nothing to transcribe in its test split", "choose another --split")


def test_settings_differ_from_the_plain_one_in_one_thing():
    plain, *more = settings_of(["vad", "language", "beam", "vad"], "alma")
    assert [one.name for one in more] == ["vad", "language left open", "beam 5", "prompt"]
    for one in more:
        changed = [one.has_vad, one.is_open, one.options != plain.options]
        assert sum(changed) == 1
