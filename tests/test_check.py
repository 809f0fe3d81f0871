"""Planted defects are found by their published codes, and clean rows are left in peace."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import pytest
from planted import DEFECTS, clean_rows, sentence, write_corpus

from parlure import cli
from parlure.corpus.check.check import check
from parlure.corpus.check.rules import RULES, chosen_rules, markdown_table
from parlure.errors import ParlureError

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """500 rows without a defect, as a corpus, and their rows."""
    folder = tmp_path_factory.mktemp("clean") / "corpus"
    rows = clean_rows(folder)
    return write_corpus(folder, rows), rows


@pytest.fixture(scope="module")
def planted(clean, tmp_path_factory):
    """The same with a defect in each of the first rows of as many speakers, and those that need several rows."""
    import random

    folder = tmp_path_factory.mktemp("planted") / "corpus"
    shutil.copytree(clean[0] / "audio", folder / "audio")
    rows = [dict(row) for row in clean[1]]
    where = {}
    for place, (code, plant) in enumerate(DEFECTS.items()):
        row = rows[place * 5]  # of speakers 0 to 16, in train
        plant(row, folder / row["recording"])
        where[code] = row["id"]
    by_id = {row["id"]: row for row in rows}

    def give(code, id_, **values):
        by_id[id_].update(values)
        where[code] = id_

    give("speaker_leak", "s30-0", speaker="speaker-20")
    give("session_leak", "s30-1", session="session-20")
    give("recording_leak", "s30-2", recording="audio/s20-2.wav", start=3.0, end=4.2, text="Un pont de neige.")
    by_id["s20-2"]["end"] = 3.0
    give("overlap_leak", "s30-3", recording="audio/s20-3.wav", start=0.5, end=3.0)
    give("text_leak", "s40-0", text=by_id["s20-4"]["text"][:-1] + " !")
    give("audio_leak", "s40-1")
    shutil.copy(folder / "audio" / "s20-5.wav", folder / "audio" / "s40-1.wav")
    by_id["s40-1"]["end"] = by_id["s20-5"]["end"]
    give("duplicate_audio", "s21-1")
    shutil.copy(folder / "audio" / "s21-0.wav", folder / "audio" / "s21-1.wav")
    by_id["s21-1"]["end"] = by_id["s21-0"]["end"]
    rng = random.Random(77)
    changes = {
        "mixed_casing": ((22,), lambda text: text.lower()),
        "mixed_punctuation": ((23,), lambda text: text.rstrip(".")),
        "spaced_punctuation": ((24, 46, 47, 48), lambda text: text.replace(".", " .")),
        "": ((25, 27), lambda text: text.replace(".", " vingt-deux.")),
        "mixed_numbers": ((26,), lambda text: text.replace(".", " 36.")),
    }
    for code, (speakers, change) in changes.items():
        for speaker in speakers:
            for number in range(10):
                by_id[f"s{speaker}-{number}"]["text"] = change(sentence(rng))
        where[code] = f"s{speakers[0]}-3"
    del where[""]
    give("bad_phrases", "s28-0", segments=[[0.0, 2.0, "un"], [1.0, 2.5, "deux"]])
    give("fast_words", "s28-1", end=3.0, text="Il y a un an, on y va, il a su où on va, et on a eu ça à la fin du jeu.")
    return write_corpus(folder, rows, licence=None), where


@pytest.fixture(scope="module")
def found(planted):
    return check(planted[0])


def reasons_of(folder: Path) -> dict[str, set[str]]:
    """Id → codes, as reasons.csv has them."""
    reasons: dict[str, set[str]] = {}
    with (folder / "reasons.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            reasons.setdefault(row["id"], set()).add(row["code"])
    return reasons


def test_every_defect_is_found_by_its_code(planted, found):
    reasons = reasons_of(found.folder)
    missed = {code: id_ for code, id_ in planted[1].items() if code not in reasons.get(id_, set())}
    assert missed == {}
    assert len(planted[1]) >= 40


def test_no_error_on_rows_without_a_defect(planted, found):
    bad = set(planted[1].values())
    errors = {code for code, rule in RULES.items() if rule.severity == "error"}
    wrong = {id_: codes & errors for id_, codes in reasons_of(found.folder).items() if id_ not in bad}
    assert {id_: codes for id_, codes in wrong.items() if codes} == {}


def test_clean_corpus_has_no_error_and_hardly_a_warning(clean):
    found = check(clean[0])
    assert [one.rule.code for one in found.findings if one.rule.severity == "error"] == []
    assert {one.rule.code for one in found.findings if one.rule.severity == "warning"} <= {"few_words"}


def small(folder: Path, texts: list[str], **values: object) -> Path:
    """A corpus of the manifest alone: every text of a speaker, session and recording of its own, in train."""
    rows = [
        {
            "id": f"u{n}", "recording": f"{n}.wav", "start": 0.0, "end": 3.0, "channel": None, "text": text,
            "language": "fr", "task": "transcribe", "speaker": f"s{n}", "session": f"c{n}", "split": "train",
            "segments": None, "prompt": None, "tags": [], **values,
        }
        for n, text in enumerate(texts)
    ]  # fmt: skip
    folder.mkdir()
    return write_corpus(folder, rows)


def texts_found(tmp_path: Path, code: str, texts: list[str], **values: object) -> list[str]:
    """The texts that a rule finds something in."""
    found = check(small(tmp_path / "corpus", texts, **values), audio=False)
    ids = {id_ for id_, codes in reasons_of(found.folder).items() if code in codes}
    return [text for n, text in enumerate(texts) if f"u{n}" in ids]


# what each rule finds, and what it lets pass
TEXTS = {
    "annotation_residue": (
        ["oui [rires] bon", "<unk> oui", "{laugh} oui", "((pas clair))", "oui (rires)", "oui (.) bon", "oui (1.5) bon",
         "&-euh oui", "&=tousse", "oui xxx non", "il a +...", "bonjour@s:eng", "*CHI: oui", "il a +/.", "SPN"],
        ["il a dit (en riant) que oui", "5 < 6", "3 & 4", "écris à jean@exemple.ca", "j(e) sais", "A+ en maths",
         "bravo !", "www.exemple.ca ?"[4:], "50 % et 3/4"],
    ),
    "mojibake": (["Ã©tÃ©", "lâ€™hiver", "perdu \ufffd"], ["NÃO", "été à Noël", "«é»", "ÀÉ"]),
    "zero_width": (["a\u200bb", "\ufeffoui", "cou\u00adper"], ["l’été\u00a0!", "a\u202fb"]),
    "decomposed_accents": (["e\u0301te\u0301"], ["été"]),
    "odd_symbols": (["oui \U0001f600", "♪ la la", "a\tb"], ["20 °C", "5 €", "l’été", "2 × 3"]),
    "word_loop": (["oui bon oui bon oui bon oui bon oui bon", "ha " * 9], ["non non non non", "bla bla bla bla bla"]),
    "foreign_characters": (["Straße", "рivière", "el niño", "東京"], ["œuf à Noël, où ça", "maïs"]),
    "empty_text": (["", " ", "...", "?!"], ["5", "oh"]),
}  # fmt: skip


@pytest.mark.parametrize("code", TEXTS)
def test_what_a_text_rule_finds_and_what_it_lets_pass(tmp_path, code):
    bad, good = TEXTS[code]
    assert texts_found(tmp_path, code, bad + good) == bad


@pytest.mark.parametrize(
    ("language", "bad", "good"),
    [
        ("ru", ["мoлоко"], ["молоко", "купил iPhone"]),
        ("ja", ["日本ab"], ["東京タワーへ", "ハローABC"[:3]]),
        ("vi", ["мир"], ["tiếng Việt"]),
        ("hi", ["हिन्दीа"], ["हिन्दी में"]),
    ],
)
def test_letters_of_other_scripts(tmp_path, language, bad, good):
    assert texts_found(tmp_path, "foreign_characters", bad + good, language=language) == bad


def test_joiners_belong_to_some_scripts(tmp_path):
    assert texts_found(tmp_path, "zero_width", ["می\u200cخواهم"], language="fa") == []


def test_what_was_asked_for_is_no_error(tmp_path, clean):
    rows = [dict(row) for row in clean[1][:40]]
    rows[0]["text"] = ""
    rows[1] |= {"split": "test"}
    settings, split = {"empty_text": "no-speech"}, {"group_by": ["session"]}
    (tmp_path / "corpus").mkdir()
    found = check(write_corpus(tmp_path / "corpus", rows, settings=settings, split=split), audio=False)
    severity = {one.rule.code: one.rule.severity for one in found.findings}
    assert "empty_text" not in severity and severity["silence"] == "note"
    assert severity["speaker_leak"] == "warning" and severity["session_leak"] == "error"


def test_near_copies_are_found_as_comparing_all_with_all_finds_them(tmp_path):
    import random

    from parlure.corpus.check.copies import _jaccard, bare

    rng = random.Random(3)
    texts = [sentence(rng, rng.randint(5, 14)) for _ in range(150)]
    for text in texts[:90]:  # the same with some letters changed, some beyond and some below the threshold
        letters = list(text)
        for _ in range(rng.randint(0, 2)):
            letters[rng.randrange(len(letters))] = rng.choice("aeiou")
        texts.append("".join(letters))
    rows = [dict(row) for row in clean_texts(texts)]
    for n, row in enumerate(rows):
        row["split"] = ("train", "dev", "test")[n % 3] if n < 150 else ("test", "train")[n % 2]
    (tmp_path / "corpus").mkdir()
    found = check(write_corpus(tmp_path / "corpus", rows), audio=False)
    order = {"train": 0, "dev": 1, "test": 2}
    wanted = {
        one["id"]
        for one in rows
        for other in rows
        if order[one["split"]] > order[other["split"]] and _jaccard(bare(one["text"]), bare(other["text"])) > 0.9
    }
    assert {id_ for id_, codes in reasons_of(found.folder).items() if "text_leak" in codes} == wanted
    assert 10 < len(wanted) < 200


def clean_texts(texts: list[str]) -> list[dict[str, object]]:
    """Rows of the manifest alone."""
    return [
        {
            "id": f"u{n}", "recording": f"{n}.wav", "start": 0.0, "end": 4.0, "channel": None, "text": text,
            "language": "fr", "task": "transcribe", "speaker": None, "session": None, "split": "train",
            "segments": None, "prompt": None, "tags": [],
        }
        for n, text in enumerate(texts)
    ]  # fmt: skip


def test_the_second_check_reads_no_recording(tmp_path, clean, monkeypatch):
    from parlure.corpus.check import listening

    rows = [dict(row) for row in clean[1][:20]]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "audio").mkdir()
    for row in rows:
        shutil.copy(clean[0] / row["recording"], tmp_path / "corpus" / row["recording"])
    folder, read = write_corpus(tmp_path / "corpus", rows), []
    measure = listening.measure_recording
    monkeypatch.setattr(listening, "measure_recording", lambda *job: read.append(job[0]) or measure(*job))
    monkeypatch.setattr(listening, "_WORTH_A_POOL", 1000)
    first = check(folder)
    assert len(read) == 20
    cache = folder / "check" / "cache" / "recordings.jsonl"
    lines = cache.read_text().splitlines(keepends=True)
    cache.write_text("".join(lines[:-1]) + lines[-1][:100])  # stopped while the last was written
    os.utime(folder / rows[0]["recording"], ns=(1, 1))  # and one has changed
    second = check(folder)
    assert len(read) == 22
    assert check(folder).to_json() == second.to_json() == first.to_json()
    assert len(read) == 22


def test_a_pool_measures_what_one_process_does(clean):
    from parlure.corpus.check.listening import _all
    from parlure.corpus.check.sound import Span

    jobs = [(str(clean[0] / row["recording"]), [Span(0.0, 2.0, None)]) for row in clean[1][:20]]
    assert dict(_all(jobs, 2)) == dict(_all(jobs, 1))


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        ("shrt=1", "--rule shrt=1: there is no rule shrt", "did you mean short?"),
        ("zzzzzz=1", "there is no rule zzzzzz", "the rules are listed in docs/check.md"),
        ("mojibake=1", "mojibake has no threshold", "--rule mojibake=off leaves it out"),
        ("short=soon", "--rule short=soon: 'soon' is not a number", "for example --rule short=1"),
    ],
)
def test_bad_rules_are_refused(change, message, hint):
    with pytest.raises(ParlureError) as refused:
        chosen_rules([change])
    assert message in refused.value.message and refused.value.hint == hint


def test_command(planted, capsys, tmp_path):
    assert cli.run(["check", str(planted[0]), "--no-audio", "--out", str(tmp_path / "out"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    codes = {one["code"]: one for one in printed["findings"]}
    assert codes["too_long"]["threshold"] == 30.0 and codes["too_long"]["examples"]
    assert printed["rules_not_run"]["clipping"] == "--no-audio"
    assert printed == json.loads((tmp_path / "out" / "check.json").read_text("utf-8"))
    arguments = ["check", str(planted[0]), "--no-audio", "--out", str(tmp_path / "out"), "--strict"]
    assert cli.run(arguments) == 3
    told = capsys.readouterr().err
    assert "errors were found" in told and "names each of them" in told
    errors = [code for code, rule in RULES.items() if rule.severity == "error"]
    assert cli.run([*arguments, *(f"--rule={code}=off" for code in errors)]) == 0


def test_page_has_players_and_says_how_many_it_left_out(found, monkeypatch):
    from parlure.corpus.check.page import suspects
    from parlure.corpus.check.page.build import check_page

    page = check_page(found, None)
    assert page.count("<audio") > 20 and "left out" not in page
    assert "<script>alert" not in page and 'id="text_leak"' in page and "TalkBank" in page
    monkeypatch.setattr(suspects, "SOUND_BUDGET_S", 10.0)
    page = check_page(found, None)
    assert 0 < page.count("<audio") <= 6 and "players left out" in page
    assert "<audio" not in check_page(found, None, with_sound=False)


def test_a_model_finds_the_wrong_text_and_its_own_tokens(corpus_folder, tmp_path, nano):
    from dataclasses import replace

    from parlure.corpus.manifest import Corpus, begin_corpus, finish_corpus, write_lines
    from parlure.transcribing.checking import ModelEars
    from parlure.whisper.prompt import encode_labels

    corpus = Corpus.load(corpus_folder)
    chosen = sorted(corpus.utterances, key=lambda one: one.duration_s)[-6:]
    wrong = replace(chosen[0], text="un tout autre texte que personne ne dit ici ou ailleurs")
    begin_corpus(tmp_path / "corpus")
    write_lines(tmp_path / "corpus", [wrong, *chosen[1:]], [])
    finish_corpus(tmp_path / "corpus", {})
    ears = ModelEars("nano")
    for one in chosen:
        labels = encode_labels(nano.tokenizer, one.text, utterance_id=one.id, language=one.language)
        assert ears.n_tokens(one) == len(labels.inputs) + 1
    found = check(tmp_path / "corpus", ears=ears)
    assert "transcript_mismatch_words" in reasons_of(found.folder)[wrong.id]
    assert found.label_tokens[0] == found.label_tokens[1]
    kept = (found.folder / "cache" / "heard.jsonl").read_text("utf-8")
    again = check(tmp_path / "corpus", ears=ears)
    assert again.to_json() == found.to_json()
    assert (found.folder / "cache" / "heard.jsonl").read_text("utf-8") == kept


def test_language_and_suppressed_tokens_by_what_is_heard(tmp_path):
    """A model that hears otherwise is stood in for by what it would say; the rules are what is tried."""
    from parlure.corpus.check.judging import Heard

    class Said:
        def n_tokens(self, one):
            return 300 if one.id == "u0" else 10

        def suppressed(self, text):
            return ["("] if "(" in text else []

        def hear(self, utterances, cache, progress=None):
            yield Heard(0, "one two three", "en", 0.95)
            yield Heard(1, "un deux trois", "en", 0.7)
            yield Heard(2, "oui alors il a dit que non et puis voilà c'est tout", "fr", 0.99)
            yield Heard(3, None)

    from parlure.corpus.check.findings import Ledger
    from parlure.corpus.check.judging import check_hearing, check_tokens
    from parlure.corpus.manifest import Corpus

    corpus = Corpus.load(small(tmp_path / "corpus", ["un deux trois", "un deux trois", "oui alors il a", "(oui) bon"]))
    ledger = Ledger(corpus.utterances, RULES, corpus.folder)
    check_tokens(ledger, Said())
    check_hearing(ledger, Said(), tmp_path)
    hits = {code: [hit.place for hit in ledger.hits(code)] for code in RULES if ledger.hits(code)}
    assert hits == {
        "long_label": [0], "suppressed_tokens": [3], "language_mismatch": [0], "text_too_little": [2],
        "transcript_mismatch_characters": [0, 2], "transcript_mismatch_words": [0, 2],
    }  # fmt: skip


def test_forecast_counts_what_the_benchmark_counts(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    flops = __import__("flops")
    from parlure.forecast import training_flops
    from parlure.machine import SIZES

    names = {"openai/whisper-large-v3": "large-v3", "openai/whisper-medium": "medium", "openai/whisper-tiny": "tiny"}
    tuning = flops.Tuning(targets=flops.ALL_LINEAR)
    for size in SIZES:
        if size.name in names:
            for seconds in (4.0, 30.0):
                counted = flops.training_flops(flops.SHAPES[names[size.name]], seconds, 17, tuning).total
                assert training_flops(size, seconds, 17) == pytest.approx(counted, rel=0.1)


def test_forecast_says_what_is_measured_and_what_is_assumed():
    from parlure.forecast import forecast
    from parlure.machine import Machine

    found = forecast([3.0] * 1000, (9000, 30000), machine=Machine(1, 16.0, ()))
    assert found is not None
    assert found["epochs"] == 10.0 and 800 < found["encoder_windows_per_epoch"] < 1000
    said = " ".join(found["basis"])
    assert "were not measured" in said and "(measured)" in said and "estimated" in said
    sizes = {one["model"]: one for one in found["models"]}
    medium = sizes["openai/whisper-medium"]
    assert medium["gpus"]["T4"]["hours"] > medium["gpus"]["H100 SXM"]["hours"] > 0
    assert forecast([], (0, 0)) is None


@pytest.mark.parametrize("needs", ["manifest", "audio", "model"])
def test_the_tables_of_the_page_are_the_codes(needs):
    page = (ROOT / "docs" / "check.md").read_text("utf-8")
    assert markdown_table(needs) in page, f"put this into docs/check.md:\n{markdown_table(needs)}"
