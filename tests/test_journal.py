"""Hypotheses survive the process that found them."""

from parlure.transcribing.hypothesis import Hypothesis, Segment
from parlure.transcribing.journal import Journal

JOB = {"hash": "abc", "batch_size": 16}
ONE = Hypothesis("a", "été", "fr", (Segment(0.0, 1.5, "été"),), 0.1, -0.123456789012345, (5, 6), False)
OTHER = Hypothesis("b", "", "fr", None, None, None, (), True)


def test_what_was_added_is_found_again(tmp_path):
    path = tmp_path / "report" / "decoding.jsonl"
    journal = Journal(path, JOB)
    journal.add([ONE], 1.5)
    journal.add([OTHER], 2.0)
    again = Journal(path, JOB)
    assert again.found == journal.found == {"a": ONE, "b": OTHER}
    assert again.work_s == 3.5


def test_a_half_written_line_is_forgotten(tmp_path):
    path = tmp_path / "decoding.jsonl"
    journal = Journal(path, JOB)
    journal.add([ONE], 1.0)
    journal.add([OTHER], 1.0)
    path.write_bytes(path.read_bytes()[:-10])
    again = Journal(path, JOB)
    assert again.found == {"a": ONE}
    again.add([OTHER], 1.0)
    assert Journal(path, JOB).found == {"a": ONE, "b": OTHER}


def test_another_job_begins_again(tmp_path):
    path = tmp_path / "decoding.jsonl"
    Journal(path, JOB).add([ONE], 1.0)
    assert Journal(path, JOB | {"hash": "def"}).found == {}
    assert Journal(path, JOB).found == {}


def test_removed(tmp_path):
    path = tmp_path / "decoding.jsonl"
    Journal(path, JOB).remove()
    assert not path.exists()
