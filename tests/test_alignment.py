"""A transcript without times → where its sentences are spoken, measured on synthetic speech whose times are known."""

from __future__ import annotations

import copy
import json
import random
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nano.french import GRAMMAR
from nano.grammar import draw_sentence

from parlure import cli
from parlure.errors import ParlureError
from parlure.speech.audio import write_audio
from parlure.speech.features import log_mel
from parlure.speech.synth import Voice, synthesize
from parlure.transcribing.alignment import Aligner, is_well_aligned
from parlure.transcribing.attention import alignment_heads, read_along
from parlure.transcribing.decode import window_waves
from parlure.transcribing.edges import trimmed
from parlure.transcribing.script import Piece, pieces_of, read_script
from parlure.transcribing.warping import median_filtered, token_positions, warp
from parlure.whisper.prompt import encode_text, prompt_ids

MARGIN_S = 0.1  # that a line keeps around its sound


@pytest.fixture(scope="module")
def told():
    """28 s or so of sentences that nano never met: samples, and (start, end, text) of each."""
    rng, parts, lines = random.Random(11), [np.zeros(8_000, np.float32)], []
    for _ in range(10):
        text = draw_sentence(GRAMMAR, rng, True)
        sound = synthesize(text, Voice("fr+belinda", 170, 50))
        loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
        sound = (0.3 * sound / np.abs(sound).max())[loud[0] : loud[-1] + 1]
        start = sum(map(len, parts))
        lines.append((start / 16_000, (start + len(sound)) / 16_000, text))
        parts += [sound, np.zeros(round(16_000 * rng.uniform(0.3, 1.2)), np.float32)]
    samples = np.concatenate(parts) + np.random.default_rng(0).normal(0, 5e-4, sum(map(len, parts)))
    return samples.astype(np.float32), lines


@pytest.fixture(scope="module")
def story(told, tmp_path_factory):
    """The same as files."""
    folder = tmp_path_factory.mktemp("story")
    write_audio(folder / "story.wav", told[0])
    (folder / "story.txt").write_text("\n".join(text for *_, text in told[1]), encoding="utf-8")
    return folder


def test_attention_is_the_models_own(nano, told):
    """Held against transformers' eager attention."""
    loaded = nano
    encoded = loaded.model.model.encoder(log_mel(window_waves([told[0][:160_000]]))).last_hidden_state
    prompt, ids = prompt_ids(loaded.tokenizer, "fr", "transcribe"), encode_text(loaded.tokenizer, told[1][0][2])
    end = 50_257
    found = read_along(loaded.model, encoded, prompt, ids, end, 1500)
    eager = copy.deepcopy(loaded.model)
    eager.set_attn_implementation("eager")
    with torch.no_grad():
        output = eager(
            encoder_outputs=(encoded,), decoder_input_ids=torch.tensor([[*prompt, *ids]]), output_attentions=True
        )
    expected = torch.stack([output.cross_attentions[layer][0, head] for layer, head in alignment_heads(eager)])
    assert torch.allclose(found.weights, expected[:, len(prompt) - 1 :], atol=1e-5)
    scores = output.logits[0, len(prompt) - 1 :].log_softmax(-1)
    assert torch.allclose(found.logprobs, scores[:-1].gather(1, torch.tensor(ids)[:, None])[:, 0], atol=1e-3)
    assert torch.allclose(found.end_logprobs, scores[:, end], atol=1e-3)
    half = read_along(loaded.model, encoded, prompt, ids, end, 500)
    assert half.weights.shape[-1] == 500 and torch.allclose(half.weights.sum(-1), torch.ones(()), atol=1e-5)


def test_heads_are_the_models_list_or_the_later_half(nano):
    listed = alignment_heads(nano.model)
    assert listed == [(layer, head) for layer in (1, 2) for head in range(4)]
    without = copy.deepcopy(nano.model)
    without.generation_config.alignment_heads = None
    assert alignment_heads(without) == listed  # nano's list is what the rule gives
    without.generation_config.alignment_heads = [[0, 2]]
    assert alignment_heads(without) == [(0, 2)]


costs = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.lists(st.integers(-9, 9), min_size=n, max_size=n), min_size=1, max_size=5)
)


def cheapest(cost, row, column):
    """All paths to a cell, tried one by one."""
    if row < 0 or column < 0:
        return float("inf")
    before = [cheapest(cost, row - 1, column - 1), cheapest(cost, row - 1, column), cheapest(cost, row, column - 1)]
    return cost[row][column] + (0 if row == column == 0 else min(before))


@settings(deadline=None)
@given(costs, st.booleans())
def test_the_path_is_the_cheapest(cost, open_end):
    n_rows, n_columns = len(cost), len(cost[0])
    rows, columns = warp(np.array(cost, np.float32), open_end=open_end)
    assert (rows[0], columns[0], columns[-1]) == (0, 0, n_columns - 1)
    assert all(
        (b - a, d - c) in {(1, 1), (1, 0), (0, 1)} for (a, c), (b, d) in pairwise(zip(rows, columns, strict=True))
    )
    ends = [cheapest(cost, row, n_columns - 1) for row in range(n_rows)]
    assert sum(cost[row][column] for row, column in zip(rows, columns, strict=True)) == (
        min(ends) if open_end else ends[-1]
    )


@given(st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=20))
def test_the_median_of_seven(values):
    row = np.array([values], np.float32)
    mirrored = np.pad(row[0], 3, mode="reflect") if len(values) > 3 else None
    expected = row[0] if mirrored is None else [np.median(mirrored[i : i + 7]) for i in range(len(values))]
    assert np.allclose(median_filtered(row)[0], expected)


def test_tokens_begin_where_they_are_listened_to():
    weights = np.full((2, 3, 60), 0.001, np.float32)
    for token, (start, end) in enumerate(((0, 20), (20, 35), (35, 60))):
        weights[:, token, start:end] = 0.05
    assert np.abs(token_positions(weights) - [0, 20, 35]).max() <= 2
    assert len(token_positions(weights[:, :, :33], open_end=True)) == 2  # the third is not heard


def test_silence_at_the_edges_is_trimmed():
    sound = np.zeros(32_000, np.float32)
    sound[8_000:16_000] = 0.1
    assert trimmed(sound, 0.0, 2.0) == pytest.approx((0.4, 1.1))
    assert trimmed(sound, 0.48, 1.02) == pytest.approx((0.48, 1.02))
    assert trimmed(sound, 1.0, 1.0) == (1.0, 1.0)


def test_boundaries_of_sentences(nano, told):
    """docs/long-recordings.md has the errors of a larger sample."""
    samples, lines = told
    done = []
    found = Aligner(nano, samples, [text for *_, text in lines], "fr").align(lambda *counts: done.append(counts))
    assert done[-1] == (len(lines), len(lines))
    good = [(one, line) for one, line in zip(found, lines, strict=True) if is_well_aligned(one)]
    assert len(good) >= len(lines) - 1
    starts = [abs(one.start + MARGIN_S - line[0]) for one, line in good]
    ends = [abs(one.end - MARGIN_S - line[1]) for one, line in good]
    assert np.median(starts) < 0.1 and np.median(ends) < 0.1
    assert np.mean(starts) < 0.3 and np.mean(ends) < 0.3
    assert all(one.end <= other.start + 1e-6 for (one, _), (other, _) in pairwise(good))
    assert all(0 < one.share <= 1 for one, _ in good)


def test_what_is_not_said_is_rejected_and_the_rest_found(told, story, tmp_path, capsys):
    """A sentence replaced, one added, one left out."""
    lines = told[1][:7]
    texts = [text for *_, text in lines]
    texts[2] = "Les pommes vertes poussent au bord du canal."
    texts.insert(4, "Un autre jour, elle cherche ses clés.")
    left_out = texts.pop(6)
    (tmp_path / "told.txt").write_text("\n".join(texts), encoding="utf-8")
    write_audio(tmp_path / "told.wav", told[0][: round(16_000 * (lines[-1][1] + 0.2))])
    out = tmp_path / "aligned.jsonl"
    arguments = ["align", str(tmp_path / "told.wav"), str(tmp_path / "told.txt"), "--model", "nano", "--out", str(out)]
    assert cli.run([*arguments, "--language", "fr"]) == 0
    said = capsys.readouterr().err
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    bad = [json.loads(line) for line in (tmp_path / "aligned.rejected.jsonl").read_text("utf-8").splitlines()]
    assert {one["reason"] for one in bad} == {"badly_aligned"}
    assert {3, 5} <= {one["line"] for one in bad}
    assert len(rows) + len(bad) == len(texts)
    times = {text: (start, end) for start, end, text in lines}
    assert left_out not in {row["text"] for row in rows}
    errors = [abs(row["start"] + MARGIN_S - times[row["text"]][0]) for row in rows]
    assert len(rows) >= 4 and np.median(errors) < 0.15
    assert f"{len(rows)} of {len(texts)} sentences found in the recording: " in said
    assert f"{len(bad)} badly_aligned: {tmp_path / 'aligned.rejected.jsonl'} says why" in said
    assert all(row["audio"] == "told.wav" and row["language"] == "fr" for row in rows)
    assert all(row["tags"][0].startswith("confidence=0.") for row in rows)
    assert any(
        "probable, and 50% is asked for: it is not what is said, or the model does not know" in one["sentence"]
        or "it was not found after the sentence before it: it is not said, or said elsewhere" in one["sentence"]
        for one in bad
    )
    prepare = ["prepare", str(out), "--out", str(tmp_path / "corpus"), "--ratios", "1,0,0", "--join", "dialogue"]
    assert cli.run(prepare) == 0


def test_nothing_found_is_said(story, tmp_path):
    (tmp_path / "other.txt").write_text("Une histoire tout autre, de chevaliers.\n", encoding="utf-8")
    write_audio(tmp_path / "noise.wav", np.random.default_rng(1).normal(0, 0.1, 32_000).astype(np.float32))
    from parlure.transcribing.align import align

    with pytest.raises(ParlureError) as caught:
        align(tmp_path / "noise.wav", tmp_path / "other.txt", tmp_path / "a.jsonl", model="nano")
    assert caught.value.message.startswith("none of the 1 sentences of ") and "was found in" in caught.value.message
    assert caught.value.hint.startswith("is it the transcript of this recording, and does the model know the language?")
    assert not (tmp_path / "a.jsonl").exists()
    with pytest.raises(ParlureError) as caught:
        align(tmp_path / "noise.wav", tmp_path / "other.txt", tmp_path / "a.jsonl", model="nano", min_probability=4)
    assert caught.value.message == "--min-confidence cannot be 4"
    assert caught.value.hint == "a probability, 0 to 1, such as 0.5"


def test_a_transcript_is_cut_into_sentences(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Bonjour. Oui, c'est moi ! Il a dit « non. » Puis rien\n\n...\nm. le juge arrive.\n", "utf-8")
    assert read_script(path) == [
        Piece(1, "Bonjour. Oui, c'est moi !"), Piece(1, "Il a dit « non. »"), Piece(1, "Puis rien"),
        Piece(4, "m. le juge arrive."),
    ]  # fmt: skip
    path.write_bytes("é".encode("latin-1"))
    for there, message, hint in (
        (path, "a.txt is not UTF-8", "save it again as UTF-8"),
        (tmp_path / "b.txt", "there is no transcript", "a text file: what is said, in order, without times"),
    ):
        with pytest.raises(ParlureError, match=message) as caught:
            read_script(there)
        assert caught.value.hint == hint
    path.write_text("...\n")
    with pytest.raises(ParlureError, match=r"a\.txt holds no word"):
        read_script(path)


@given(st.text("abÉ .,!?é»。", max_size=700))
def test_nothing_is_lost_in_cutting(text):
    pieces = pieces_of(text)
    assert "".join("".join(pieces).split()) == ("".join(text.split()) if any(map(str.isalnum, text)) else "")
    assert all(len(piece) <= 200 or " " not in piece for piece in pieces)
