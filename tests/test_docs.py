"""Everything that README and docs tell people to do is done here: commands, recipes, Python, tables, links."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from chat_calls import write_calls
from made_corpus import write_as_others
from replica import write_talkbank, write_trees
from scored import report_of, rows_of
from serving import running
from tuned_runs import tuned_run

from parlure import cli
from parlure.corpus.explore.server import CorpusServer
from parlure.recipe import load_recipe, parse_recipe
from parlure.scoring.report import write_report
from parlure.scoring.skills import evaluate
from parlure.sections import Recipe
from parlure.shipping.server.models import ServedModel
from parlure.speech.audio import read_audio, write_audio
from parlure.speech.channel.conditions import CONDITIONS, USUAL
from parlure.speech.synth import Voice, synthesize
from parlure.transcribing.engines.with_torch import TorchEngine
from parlure.whisper.load import NANO

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#]+)\)")
SPLITS = ("train", "dev", "test")
RECIPE = """
[model]
base = "nano"
[data]
corpus = "corpus"
[training]
max_steps = 1
batch_seconds = 4
accumulation = 1
full_window_share = 0
[evaluation]
max_utterances = 1
[decoding]
max_new_tokens = 10
"""


def blocks(language: str) -> list[tuple[str, str]]:
    """(page name, text) of every fenced block of a language."""
    return [(p.name, text) for p in PAGES for kind, text in _BLOCK.findall(p.read_text("utf-8")) if kind == language]


@pytest.fixture(scope="module")
def desk(calls, tmp_path_factory):
    """A folder with the files that the pages speak of, small ones."""
    folder = tmp_path_factory.mktemp("desk")
    rows = calls.read_text(encoding="utf-8").splitlines()
    others = "\n".join(rows).replace(",fr,", ",eo,") + "\n"  # as if they spoke Esperanto
    (folder / "esperanto.csv").write_text(others, encoding="utf-8")
    (folder / "audio").symlink_to(calls.parent / "audio")
    (folder / "calls.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "recordings").mkdir()
    first = calls.parent / "audio" / "call-000.wav"
    sound = read_audio(first, 0.5, 3.0, 0)
    for number in range(6):
        write_audio(folder / "recordings" / f"{number}.wav", sound[: 16_000 + 1_000 * number])
        (folder / "recordings" / f"{number}.txt").write_text(f"phrase numéro {number}", encoding="utf-8")
    write_timed(folder, sound)
    texts = {path: path.with_suffix(".txt").read_text() for path in sorted((folder / "recordings").glob("*.wav"))}
    write_as_others(folder, texts)
    write_audio(folder / "call.wav", sound)
    write_audio(folder / "interview.flac", sound[::-1].copy())
    told = ["Demain matin, un miroir est fragile.", "Nous arrivons demain matin.", "Merci beaucoup, bonne soirée."]
    pause = np.zeros(8_000, np.float32)
    spoken = [part for text in told for part in (pause, synthesize(text, Voice("fr+belinda", 170)))]
    write_audio(folder / "interview.wav", 0.5 * np.concatenate([*spoken, pause]))
    (folder / "interview.txt").write_text("\n".join(told), encoding="utf-8")
    (folder / "recipe.toml").write_text(RECIPE)
    write_talkbank(folder / "talkbank_4_stt")
    write_calls(folder / "appels", 6)
    write_trees(folder, sound)
    (folder / "recipes").symlink_to(ROOT / "recipes")
    (folder / "demo").mkdir()  # what `make demo` would leave
    (folder / "demo" / "recordings").symlink_to(calls.parent)
    for name in ("corpus", "run", "report"):
        (folder / "demo" / name).symlink_to(folder / name)
    for name in ("ref", "hyp", "base"):
        (folder / f"{name}.txt").write_text("le chat dort\n" * 9 + f"il {name}\n", encoding="utf-8")
    row = {"audio_filepath": "a.wav", "duration": 1.5, "text": "le chat dort", "pred_text": "le chat mord"}
    for name in ("manifest", "base-manifest"):
        (folder / f"{name}.json").write_text(json.dumps(row) + "\n", encoding="utf-8")
    (folder / "calls.stm").write_text("call1 A anne 0 2 <o> le chat\ncall1 A bob 2 3 dort\n", encoding="utf-8")
    (folder / "calls.ctm").write_text("call1 A 0.3 0.2 le\ncall1 A 2.1 0.2 dort\n", encoding="utf-8")
    (folder / "terms.txt").write_text("# ours\nchat\ncarte de crédit\n", encoding="utf-8")
    return folder


def write_timed(folder, sound):
    """Folders of recordings with subtitles, and with Praat's tiers, beside them."""
    grid = '"ooTextFile"\n"TextGrid"\n0 1\n<exists>\n1\n"IntervalTier" "tx@p{0}" 0 1\n1\n0 1 "phrase numéro {0}"\n'
    for name, form in (("subtitles/{}.srt", "1\n00:00:00,0 --> 00:00:01,0\nphrase {}\n"), ("praat/{}.TextGrid", grid)):
        for number in range(6):
            path = folder / name.format(number)
            write_audio(path.with_suffix(".wav"), sound[: 16_000 + 1_000 * number])
            path.write_text(form.format(number), encoding="utf-8")


# what lies on a hub, and what stands for it here
STAND_INS = {
    "openai/whisper-medium": "nano",
    "openai/whisper-small": str(NANO),
    "hf://diabolocom/talkbank_4_stt": "talkbank_4_stt",
}
# a recipe of ours, for a real Whisper and hours of speech, on nano and a few tones
SHORT = ["--model", "nano", "--set", "training.max_steps=1", "--set", "training.batch_seconds=30",
         "--set", "evaluation.max_utterances=1", "--set", "decoding.max_new_tokens=10"]  # fmt: skip
# Pages are read in this order, so that a later one finds the corpus and the run of an earlier one.
ORDER = ["start.md", "prepare.md", "formats.md", "long-recordings.md", "check.md", "explore.md", "chat.md",
         "corpus.md", "train.md", "adapters.md", "README.md", "transcribe.md", "vocabulary.md", "new-language.md",
         "scoring.md", "beyond-wer.md", "skills.md", "should-i-fine-tune.md", "tracking.md", "tune.md",
         "pseudo-labels.md", "correct.md", "publish.md", "export.md", "onnx.md", "parity.md", "serve.md", "studio.md",
         "quebec-telephone.md", "is-my-wer-real.md", "telephone.md"]  # fmt: skip


def test_torchrun(desk, monkeypatch):
    """The one command that is not parlure's own, as it stands in docs/train.md."""
    (command,) = re.findall(r"^torchrun (.*)", (ROOT / "docs" / "train.md").read_text("utf-8"), re.MULTILINE)
    parlure_corpus(desk)
    arguments = [sys.executable, "-m", "torch.distributed.run", *shlex.split(command)]
    result = subprocess.run(arguments, cwd=desk, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (desk / "run4" / "adapter").is_dir()


def parlure_corpus(desk: Path) -> None:
    """The corpus that docs/train.md starts from, if docs/prepare.md has not made it yet."""
    if not (desk / "corpus").exists():
        arguments = ["prepare", str(desk / "calls.csv"), "--out", str(desk / "corpus"), "--ratios", "0.6,0.2,0.2"]
        assert cli.run(arguments) == 0


def shorten(manifest: Path) -> None:
    """Two utterances of each split, of two recordings if there are: these tests are not about hours of decoding."""
    lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    of_split = {split: [line for line in lines if json.loads(line)["split"] == split] for split in SPLITS}
    of_split = {split: sorted(own, key=lambda line: is_of_first(own, line))[:2] for split, own in of_split.items()}
    manifest.write_text("".join(line for split in SPLITS for line in of_split[split]), encoding="utf-8")


def is_of_first(lines: list[str], line: str) -> bool:
    """Whether a line is another one of the first one's recording."""
    return line != lines[0] and json.loads(line)["recording"] == json.loads(lines[0])["recording"]


def write_again(desk: Path) -> None:
    """What a cloud service and a second person would have made of the test split."""
    lines = (desk / "corpus" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [{key: row[key] for key in ("id", "text")} for row in map(json.loads, lines) if row["split"] == "test"]
    for name in ("cloud", "second"):
        (desk / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts), encoding="utf-8")


def interrupted(server: object, **settings: object) -> None:
    raise KeyboardInterrupt


def commands(page: str) -> list[str]:
    return [
        line.split("#")[0].strip()
        for name, text in blocks("")
        if name == page
        for line in text.replace("\\\n", " ").splitlines()
        if line.startswith("parlure ")
    ]


def test_every_command_of_every_page_runs(desk, monkeypatch, capsys):
    monkeypatch.chdir(desk)
    monkeypatch.setenv("XDG_CACHE_HOME", str(desk / "cache"))
    monkeypatch.setitem(evaluate.__kwdefaults__, "nonspeech_per_kind", 1)
    monkeypatch.setattr("parlure.scoring.skills.robustness.USUAL", ("g711", "crosstalk"))  # thirty take too long
    monkeypatch.setattr("parlure.scoring.skills.curve._OFF", 1.0)  # two utterances are no halves
    monkeypatch.setattr(CorpusServer, "serve_forever", interrupted)  # what serves until Ctrl-C
    monkeypatch.setattr("uvicorn.Server.run", interrupted)
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    done = 0
    for page in ORDER:
        for command in commands(page):
            for there, here in STAND_INS.items():
                command = command.replace(there, here)
            arguments = shlex.split(command)[1:]
            if arguments[0] == "train" and arguments[1].startswith("recipes/"):
                arguments += SHORT
            out = arguments.index("--out") + 1 if "--out" in arguments else 0
            while arguments[0] == "train" and "--resume" not in arguments and out and (desk / arguments[out]).exists():
                arguments[out] += "-again"  # several pages start a run called run
            if arguments[0] == "baseline":
                write_again(desk)
            if arguments[0] == "init":
                Path(arguments[-1]).unlink(missing_ok=True)
            if "--apply" in arguments:  # a correction of an utterance that is there
                first = json.loads((desk / "corpus" / "manifest.jsonl").read_text("utf-8").splitlines()[0])
                (desk / "corrections.csv").write_text(f"id,text\n{first['id']},phrase numéro\n", encoding="utf-8")
            assert cli.run(arguments) == 0, f"{page}: {command}\n{capsys.readouterr().err}"
            if arguments[0] == "init":  # what it wrote is for a real Whisper: go on with a short recipe on nano
                assert load_recipe(Path(arguments[-1])).data.corpus == "corpus"
                (desk / "recipe.toml").write_text(RECIPE)
            if arguments[0] == "prepare":
                shorten(Path(arguments[out]) / "manifest.jsonl")
            done += 1
    assert done == sum(len(commands(page.name)) for page in PAGES) >= 15


ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def answering(nano):
    """The server that docs/serve.md speaks of, on nano."""
    served = ServedModel("run", TorchEngine(nano), 0, "")
    with running({"run": served}, lambda line: None) as address:
        yield address


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_every_curl_of_serve_is_answered(desk, answering):
    lines = [line for name, text in blocks("") if name == "serve.md" for line in text.splitlines()]
    curls = [line.replace(ADDRESS, answering) for line in lines if line.startswith("curl ")]
    assert len(curls) >= 6
    for line in curls:
        arguments = [*shlex.split(line), "--fail", "--silent", "--show-error"]
        result = subprocess.run(arguments, cwd=desk, capture_output=True, text=True)
        assert result.returncode == 0 and result.stdout, f"{line}\n{result.stderr}"


@pytest.mark.parametrize(("page", "text"), blocks("toml"))
def test_every_recipe_is_valid(page, text):
    import tomllib

    parse_recipe(tomllib.loads(text), page)


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_python_runs(page, text, desk, monkeypatch, answering):
    monkeypatch.chdir(desk)
    text = text.replace(ADDRESS, answering)
    parlure_corpus(desk)
    if not (desk / "report").exists():  # the commands of the pages make it, if they were run
        write_report(desk / "report", *report_of(rows_of(2)))
    for name in ("run", "run2"):
        if not (desk / name).exists():
            tuned_run(desk / name)
    exec(compile(text, page, "exec"), {})


def test_what_troubleshooting_quotes_is_said():
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "parlure").rglob("*.py"))
    said = re.sub(r'"\s*\n\s*f?"', "", sources)  # sentences that are written over two lines
    quoted = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(quoted) >= 20
    assert [sentence for sentence in quoted if sentence not in said] == []


def test_make_targets_exist():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = {match for _, text in blocks("") for match in re.findall(r"^make (\w+)", text, re.MULTILINE)}
    assert {"demo", "test", "check"} <= named <= set(targets)


def test_ci_runs_the_readmes_test_command():
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()
    assert "make test" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in _LINK.findall(page.read_text("utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


def field_table() -> str:
    """The recipe's fields, from their own descriptions."""
    lines = ["| field | default | |", "| --- | --- | --- |"]
    for section, info in Recipe.model_fields.items():
        for name, field in info.annotation.model_fields.items():  # type: ignore[union-attr]
            toml = f"`{field.default!r}`".replace("'", '"').replace("False", "false")
            default = "required" if field.is_required() else toml
            lines.append(f"| `{section}.{name}` | {default} | {field.description} |")
    return "\n".join(lines)


def test_the_table_of_fields_is_the_codes():
    page = (ROOT / "docs" / "train.md").read_text("utf-8")
    assert field_table() in page, "put this into docs/train.md:\n" + field_table()


def condition_table() -> str:
    """The telephone conditions, from their own descriptions."""
    lines = ["| condition | what happens | parameters (default; allowed) |", "| --- | --- | --- |"]
    for name, condition in CONDITIONS.items():
        told = [
            f"`{key}`: {one.meaning} ({one.default if isinstance(one.default, str) else format(one.default, 'g')}; "
            f"{one.allowed})"
            for key, one in condition.parameters.items()
        ]
        lines.append(f"| `{name}` | {condition.meaning} | {'<br>'.join(told)} |")
    return "\n".join(lines)


def test_the_table_of_conditions_is_the_codes():
    page = (ROOT / "docs" / "telephone.md").read_text("utf-8")
    assert condition_table() in page, "put this into docs/telephone.md:\n" + condition_table()
    assert "thirty usual ones" in page and len(USUAL) == 30


def test_readme_is_one_screen_and_contributing_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 60
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) <= 60
