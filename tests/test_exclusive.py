"""A folder has one writer at a time, and nothing is left of one that wrote nothing."""

import subprocess
import sys

import pytest

from parlure.errors import ParlureError
from parlure.exclusive import LOCK, alone_in, is_empty

HOLD = """
import sys, time
from pathlib import Path
from parlure.exclusive import alone_in
with alone_in(Path(sys.argv[1])):
    print("holding", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path):
    folder = tmp_path / "run"
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "holding\n"
    with pytest.raises(ParlureError, match=f"another process is writing {folder}") as refusal, alone_in(folder):
        pass
    assert refusal.value.hint == "wait until it is done, stop it, or name another --out"
    other.kill()  # not asked to clean up: the operating system lets go
    other.wait()
    with alone_in(folder):
        (folder / "work").touch()
    assert (folder / "work").exists()


def test_nothing_is_left_where_nothing_was_written(tmp_path):
    with alone_in(tmp_path / "new"):
        assert is_empty(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_empty_is_what_holds_only_the_lock(tmp_path):
    assert is_empty(tmp_path)
    assert is_empty(tmp_path / "absent")
    (tmp_path / LOCK).touch()
    assert is_empty(tmp_path)
    (tmp_path / "thesis.txt").touch()
    assert not is_empty(tmp_path)
