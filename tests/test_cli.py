"""The command line: exit codes, error and hint lines, data on stdout, talk on stderr."""

import errno
import importlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from parlure import cli
from parlure.ending import GateFailedError
from parlure.exclusive import alone_in


def run(capsys, *arguments):
    code = cli.run([str(a) for a in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_help_answers_at_once_without_torch():
    def seconds() -> float:
        clock = time.perf_counter()
        subprocess.run([sys.executable, "-m", "parlure.cli", "--help"], check=True, capture_output=True)
        return time.perf_counter() - clock

    assert min(seconds() for _ in range(3)) < 0.5


def test_version(capsys):
    code, out, _ = run(capsys, "--version")
    assert (code, out) == (0, "parlure 0.1.0\n")


@pytest.mark.parametrize(
    "command", ["demo", "prepare", "explore", "init", "train", "transcribe", "evaluate", "score", "publish", "doctor"]
)
def test_every_command_has_help(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert "--help" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "none.toml"], "error: there is no recipe none.toml"),
        (["prepare", "none.csv", "--out", "corpus"], "none.csv"),
        (["transcribe", "none.wav", "--model", "nano"], "none.wav"),
        (["evaluate", "nowhere", "--model", "nano", "--out", "report"], "error: there is no corpus folder nowhere"),
        (["score", "ref.txt", "hyp.txt"], "ref.txt"),
        (["dance"], "error: No such command 'dance'."),
        (["train"], "error: Missing argument 'recipe'."),
        (["prepare", "x", "--out", "c", "--channels", "both"], "both"),
    ],
)
def test_what_the_user_can_mend_exits_with_2(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert message in err
    assert err.startswith("error: ")
    assert "\nhint: " in err
    assert "Traceback" not in err


def test_ratios_that_are_no_numbers_get_an_example(capsys):
    code, out, err = run(capsys, "prepare", "x", "--out", "c", "--ratios", "half")
    assert (code, out) == (2, "")
    assert err == "error: --ratios half is not three numbers\nhint: for example --ratios 0.8,0.1,0.1\n"


def test_a_demo_spares_a_foreign_folder(capsys, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    code, _, err = run(capsys, "demo", "--out", tmp_path)
    assert code == 2
    assert err == f"error: {tmp_path} holds something else than a demo\nhint: give another folder: --out NAME\n"
    code, _, err = run(capsys, "demo", "--out", tmp_path / "thesis.txt")
    assert code == 2
    assert err.startswith(f"error: {tmp_path / 'thesis.txt'} is a file, not a folder\nhint: give another folder")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_unknown_recipe_key_and_missing_column(capsys, tmp_path):
    (tmp_path / "recipe.toml").write_text("[data]\ncorpus = 'c'\n[training]\nlearning_rat = 1\n")
    code, _, err = run(capsys, "train", tmp_path / "recipe.toml")
    assert code == 2
    assert "unknown key training.learning_rat" in err
    assert "hint: did you mean training.learning_rate?" in err
    (tmp_path / "rows.csv").write_text("audio,txt\na.wav,oui\n")
    code, _, err = run(capsys, "prepare", tmp_path / "rows.csv", "--out", tmp_path / "c", "--language", "fr")
    assert code == 2
    assert "text" in err
    assert "\nhint: " in err


def test_speakers_can_be_said_to_be_people(capsys, calls, tmp_path):
    rows = calls.read_text(encoding="utf-8")
    for name in {row.split(",")[-6] for row in rows.splitlines()[1:]}:
        rows = rows.replace(name, "agent" if int(name[-3:]) % 2 else "client")
    manifest = calls.parent / "roles.csv"
    manifest.write_text(rows, encoding="utf-8")
    code, _, err = run(capsys, "prepare", manifest, "--out", tmp_path / "guessed")
    assert code == 0
    assert "taken for the parties of each one, not for people: if they are people, say --global-speakers" in err
    code, _, err = run(capsys, "prepare", manifest, "--out", tmp_path / "said", "--local-speakers")
    assert code == 0
    assert "taken for the parties" not in err
    code, _, err = run(capsys, "prepare", manifest, "--out", tmp_path / "people", "--global-speakers")
    assert code == 2
    assert "the speaker agent is in 9 of 9 sessions and joins them" in err


def test_strict_exits_with_3(capsys, calls, tmp_path):
    manifest = calls.read_text(encoding="utf-8").splitlines()
    rows = [manifest[0], *manifest[1:], manifest[1].replace("audio/", "audio/missing-")]
    broken = calls.parent / "broken.csv"
    broken.write_text("\n".join(rows) + "\n", encoding="utf-8")
    code, _, err = run(capsys, "prepare", broken, "--out", tmp_path / "lenient")
    assert code == 0
    code, _, err = run(capsys, "prepare", broken, "--out", tmp_path / "strict", "--strict")
    assert code == 3
    assert err.endswith(
        f"error: 1 rows were rejected\nhint: {tmp_path / 'strict' / 'rejected.jsonl'} says why; without --strict the "
        "others are taken\n"
    )


def test_score_prints_rates_and_json(capsys, tmp_path):
    (tmp_path / "ref.txt").write_text("le chat dort\nil fait beau\n", encoding="utf-8")
    (tmp_path / "hyp.txt").write_text("le chat mort\nil fait beau\n", encoding="utf-8")
    code, out, _ = run(capsys, "score", tmp_path / "ref.txt", tmp_path / "hyp.txt", "--profile", "basic")
    assert code == 0
    assert "basic  tuned WER 16.67 % (S 1, D 0, I 0, N 6)" in out
    code, out, _ = run(
        capsys, "score", tmp_path / "ref.txt", tmp_path / "hyp.txt", "--against", tmp_path / "hyp.txt", "--json"
    )
    assert json.loads(out)["raw"]["tuned"]["wer"]["S"] == 1
    code, out, _ = run(capsys, "score", tmp_path / "ref.txt", tmp_path / "hyp.txt", "--against", tmp_path / "hyp.txt")
    assert "points: too few speakers\n" in out and "\nverdict: better or worse where the 95 % interval" in out


def test_our_bug_exits_with_1(capsys, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("boom")

    monkeypatch.setattr(cli, "app", broken)
    code, _, err = run(capsys, "score")
    assert code == 1
    assert "RuntimeError: boom" in err
    assert "this is a bug in parlure" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize(
    ("module", "function", "arguments", "said"),
    [
        ("corpus.prepare", "prepare", "prepare x --out c", "the corpus is not whole yet: the same command goes on"),
        (
            "scoring.skills",
            "evaluate",
            "evaluate c --model nano --out r",
            "what is decoded is kept: the same command goes on",
        ),
        (
            "transcribing.transcribe",
            "transcribe",
            "transcribe x.wav --model nano",
            "with --out what it has written is whole and kept: the same command goes on",
        ),
        (
            "shipping.export",
            "export",
            "export nano --to hf --out x",
            "an export that is there is whole, and parlure parity goes on with judging it; else begin again",
        ),
        (
            "shipping.export.parity",
            "parity",
            "parity nano x --corpus c",
            "what is heard is kept: the same command goes on",
        ),
        ("demo", "demo", "demo", "the same command begins it anew"),
        ("scoring.score", "score_report", "score x y", "the same command begins again"),
    ],
)
def test_interruption_exits_with_130_and_says_how_to_go_on(
    capsys, monkeypatch, number, module, function, arguments, said
):
    def interrupted(*_, **__):
        os.kill(os.getpid(), number)
        raise AssertionError("not interrupted")

    monkeypatch.setattr(importlib.import_module(f"parlure.{module}"), function, interrupted)
    before = signal.getsignal(signal.SIGTERM)
    # a shell starts what runs in its background deaf to Ctrl-C, this test too
    deaf = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run(capsys, *arguments.split()) == (130, "", f"interrupted; {said}\n")
    finally:
        signal.signal(signal.SIGINT, deaf)
    assert signal.getsignal(signal.SIGTERM) == before


def test_an_interruption_before_the_command_has_begun(capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    assert run(capsys)[::2] == (130, "interrupted; the same command begins again\n")
    monkeypatch.setenv("RANK", "1")  # one of several processes speaks
    assert run(capsys)[::2] == (130, "")


def test_what_disk_and_permissions_refuse_is_no_bug(capsys, calls, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    code, _, err = run(capsys, "prepare", calls, "--out", tmp_path / "file" / "c")
    assert (code, err) == (
        2,
        f"error: {tmp_path / 'file' / 'c'}: Not a directory\n"
        "hint: a file stands where a folder has to be: name another place\n",
    )
    code, _, err = run(capsys, "train", tmp_path)
    assert code == 2
    assert err.startswith(f"error: {tmp_path} is a folder, not a recipe\nhint: a run keeps its recipe in {tmp_path}")


MEMORY_HINT = (
    "in training, halve training.batch_seconds and double training.accumulation; "
    "elsewhere, end what else uses the memory, or take a smaller model"
)


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (
            OSError(errno.ENOSPC, "", "run/x"),
            "run/x: No space left on device",
            "free some space on that disk, or name another place",
        ),
        (
            RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
            "No space left on device",
            "free some space on that disk, or name another place",
        ),
        (
            PermissionError(errno.EACCES, "", "c"),
            "c: Permission denied",
            "see who may read and write there, or name another place",
        ),
        (
            ConnectionError(errno.ECONNREFUSED, ""),
            "Connection refused",
            "see whether the disk and the network are there",
        ),
        (MemoryError(), "there is not enough memory", MEMORY_HINT),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of"),
            "there is not enough memory: CUDA out of memory. Tried to allocate 2.00 GiB",
            MEMORY_HINT,
        ),
    ],
)
def test_what_the_machine_refuses_is_no_bug(capsys, monkeypatch, error, message, hint):
    def refused(*_, **__):
        raise error

    monkeypatch.setattr(cli, "app", refused)
    assert run(capsys, "train") == (2, "", f"error: {message}\nhint: {hint}\n")


def test_a_failed_gate_may_have_a_hint(capsys, monkeypatch):
    def failed(*_, **__):
        raise GateFailedError("a gate failed", "mend it")

    monkeypatch.setattr(cli, "app", failed)
    assert run(capsys, "score") == (3, "", "error: a gate failed\nhint: mend it\n")


def test_a_demo_spares_one_that_runs(capsys, tmp_path):
    out = tmp_path / "demo"
    with alone_in(out):
        (out / ".parlure-demo").touch()
        (out / "recordings").mkdir()
        code, _, err = run(capsys, "demo", "--out", out)
        assert code == 2
        assert err.startswith(f"error: another process is writing {out}\n")
        assert (out / "recordings").is_dir()


def test_a_demo_replaces_an_earlier_one(tmp_path, monkeypatch):
    from parlure import demo

    (tmp_path / ".parlure-demo").touch()
    (tmp_path / "run" / "adapter").mkdir(parents=True)
    (tmp_path / "notes.txt").touch()

    def seen(out, **_):
        raise KeyboardInterrupt(sorted(path.name for path in tmp_path.iterdir()))

    monkeypatch.setattr(demo, "make_calls", seen)
    with pytest.raises(KeyboardInterrupt) as caught:
        demo.demo(tmp_path)
    assert set(caught.value.args[0]) <= {".lock", ".parlure-demo"}


def test_a_closed_pipe_is_no_error(tmp_path):
    (tmp_path / "t.txt").write_text("oui\n")
    command = f'"{sys.executable}" -m parlure.cli score t.txt t.txt --json | head -c 1'
    result = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, env=os.environ)
    assert result.stdout == "{"
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (True, "holds a checkpoint: go on with the same command and --resume"),
        (False, "there is no checkpoint yet: begin with the same command and --resume"),
    ],
)
def test_an_interrupted_training_says_what_was_kept(capsys, tmp_path, monkeypatch, kept, message):
    from parlure.training import loop

    def interrupted(recipe, out, **_):
        if kept:
            (out / "checkpoints" / "step-000001").mkdir(parents=True)
            (out / "checkpoints" / "step-000001" / "progress.json").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "train", interrupted)
    (tmp_path / "recipe.toml").write_text("[data]\ncorpus = 'c'\n")
    code, _, err = run(capsys, "train", tmp_path / "recipe.toml", "--out", tmp_path / "run")
    assert code == 130
    assert message in err
    assert err.startswith("interrupted; ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        ({"n_done": 0}, "all is in order: 4 steps to do\n"),
        ({"n_done": 2}, "all is in order: 2 of 4 steps are done in {out}: go on with --resume\n"),
        ({"n_done": 4, "was_finished": True}, "{out} is finished: nothing is left to do\n"),
    ],
)
def test_a_dry_run_says_what_is_there(capsys, tmp_path, monkeypatch, summary, message):
    from parlure.training import loop

    made = loop.RunSummary(n_steps=4, best_step=0, best_wer=1.0, base_wer=1.0, stopped_early=False, **summary)
    monkeypatch.setattr(loop, "train", lambda *_, **__: made)
    (tmp_path / "recipe.toml").write_text("[data]\ncorpus = 'c'\n")
    out = tmp_path / "run"
    if made.n_done:
        (out / "checkpoints").mkdir(parents=True)
    code, _, err = run(capsys, "train", tmp_path / "recipe.toml", "--out", out, "--dry-run")
    assert (code, err) == (0, message.format(out=out))


def test_a_training_that_harmed_says_so(capsys, tmp_path, monkeypatch):
    from parlure.shipping import card
    from parlure.training import loop

    made = loop.RunSummary(4, best_step=2, best_wer=20.0, base_wer=50.0, stopped_early=True, n_done=3, harmed=True)
    monkeypatch.setattr(loop, "train", lambda *_, **__: made)
    monkeypatch.setattr(card, "write_card", lambda out: None)
    (tmp_path / "recipe.toml").write_text("[data]\ncorpus = 'c'\n")
    code, _, err = run(capsys, "train", tmp_path / "recipe.toml", "--out", tmp_path / "run")
    assert code == 0
    assert err.startswith("dev WER 50.0 % → 20.0 % at step 2 of 4, stopped early\n")
    assert "a guard corpus had lost too much at the last evaluation: what is kept is from before\n" in err
