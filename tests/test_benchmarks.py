"""The benchmarks run, on a very small Whisper; the operations they count are those that PyTorch counts."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.utils.flop_counter import FlopCounterMode

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(autouse=True)
def the_scripts_folder(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def run(script: str, *arguments: str) -> dict:
    command = [sys.executable, str(BENCHMARKS / script), "--model", "toy", "--quick", "--json", *arguments]
    out = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


def test_training_is_measured_beside_the_recipe_that_people_use():
    found = run("train.py", "--ways", "short_fp32,default,cached")
    assert set(found["ratios"]) == set(found["utterances_per_s"]) == {"reference", "short_fp32", "default", "cached"}
    assert found["ratios"]["reference"] == 1
    assert all(0 < ratio < math.inf for ratio in found["ratios"].values())
    assert all(peak > 0 for peak in found["peak_bytes"].values())


def test_decoding_is_measured_and_gives_the_same_tokens():
    found = run("decode.py", "--ways", "hf_short,torch_30s,torch_short,ct2_short")
    assert set(found["ratios"]) == {"stock", "hf_short", "torch_30s", "torch_short", "ct2_short"}
    assert all(0 < ratio < math.inf for ratio in found["ratios"].values())
    agreed = re.findall(r"(\w+) (\d+) of (\d+) as (\w+)", " ".join(found["notes"]))
    assert {(way, peer) for way, same, n, peer in agreed if same == n} >= {
        ("torch_30s", "stock"),
        ("torch_short", "hf_short"),
    }


def test_two_processes_are_measured_beside_one():
    command = [sys.executable, str(BENCHMARKS / "processes.py"), "--model", "toy", "--steps", "1"]
    out = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert out.returncode == 0, out.stderr
    found = json.loads(out.stdout.splitlines()[-1])
    assert 0 < found["ratio"] < 4 and 0 < found["least_busy"] <= 1


@pytest.mark.parametrize("way", ["full", "LoRA, all linear", "LoRA q, v", "decoder only", "and cached"])
def test_operations_are_those_that_torch_counts(way):
    from flops import WAYS, training_flops
    from shapes import SHAPES, random_whisper

    tuning, model = WAYS[way], random_whisper(SHAPES["toy"])
    model.set_attn_implementation("eager")  # a fused attention is not counted on a CPU
    if tuning.method == "full":
        model.model.encoder.embed_positions.requires_grad_(False)
    else:
        where = "decoder" if tuning.parts == "decoder" else "coder"
        targets = rf".*{where}.*\.({'|'.join(tuning.targets)})"
        model = get_peft_model(model, LoraConfig(r=tuning.rank, target_modules=targets)).get_base_model()
    features, ids = torch.randn(2, 80, 600), torch.randint(0, 1000, (2, 9))
    with torch.no_grad():
        encoded = model.model.encoder(features) if tuning.cached else None
    with FlopCounterMode(display=False) as counter:
        given = {"encoder_outputs": encoded} if tuning.cached else {"input_features": features}
        logits = model(decoder_input_ids=ids, **given).logits
        forward = counter.get_total_flops()
        logits.sum().backward()
    count = training_flops(SHAPES["toy"], 6.0, 9, tuning)
    assert 2 * count.forward == pytest.approx(forward, rel=0.02)
    assert 2 * count.total == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_operations_of_decoding_are_those_that_torch_counts():
    from flops import decoding_flops
    from shapes import SHAPES, random_whisper

    model = random_whisper(SHAPES["toy"]).eval()
    model.set_attn_implementation("eager")
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model.generate(torch.randn(1, 80, 3000), language="fr", task="transcribe", max_new_tokens=8)
    # transformers gives the whole prompt's logits, where one is wanted
    surplus = 3 * 2 * 64 * SHAPES["toy"].n_vocabulary
    assert decoding_flops(SHAPES["toy"], 30.0, 8) + surplus == pytest.approx(counter.get_total_flops(), rel=0.02)


@pytest.mark.parametrize(("mean_s", "median_s", "p99_s", "n_labels"), [(3.3, 2.5, 14, 17), (5.3, 3.4, 25, 24)])
def test_lengths_are_those_of_telephone_utterances(mean_s, median_s, p99_s, n_labels):
    from workload import draw

    speeches = draw(5_000, mean_s)
    lengths = np.array([speech.duration_s for speech in speeches])
    assert lengths.min() >= 1 and lengths.max() <= 30
    assert lengths.mean() == pytest.approx(mean_s, rel=0.03)
    assert np.percentile(lengths, [50, 99]) == pytest.approx([median_s, p99_s], rel=0.06)
    assert np.mean([len(speech.text) + 5 for speech in speeches]) == pytest.approx(n_labels, rel=0.03)
    assert speeches == draw(5_000, mean_s)


def test_a_section_of_the_results_is_replaced(tmp_path):
    from results import keep

    path = tmp_path / "RESULTS.md"
    for title, body in (("b", "1"), ("a", "2"), ("b", "3")):
        keep(title, body, path)
    text = path.read_text()
    assert text.endswith("## a\n\n2\n\n## b\n\n3\n") and text.count("## ") == 2
