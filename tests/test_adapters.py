"""LoRA: scale 0 is the base, merged equals unmerged, PEFT itself loads what was saved."""

import pytest
import torch
from peft import PeftModel

from parlure.errors import ParlureError
from parlure.transcribing.decode import DecodingOptions, decode
from parlure.whisper.adapters import Adapters, attach, merge_saved, save_adapter, scale_adapter
from parlure.whisper.load import NANO, load_base

OPTIONS = DecodingOptions(language="fr", max_new_tokens=40)


def adapted_nano(seed: int = 0) -> PeftModel:
    """nano with adapters that do something: their B matrices are drawn, not zero."""
    torch.manual_seed(seed)
    adapted = attach(load_base(str(NANO)), Adapters(4, 8.0, 0.1), "nano")
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.02)
    return adapted.eval()


def tokens(model, nano, clips):
    return [hypothesis.tokens for hypothesis in decode(model, nano.tokenizer, clips, OPTIONS)]


def test_attaching_warns_of_nothing(recwarn):
    adapted_nano()
    assert [str(warning.message) for warning in recwarn] == []


def test_scale_zero_reproduces_the_base(nano, clips):
    adapted, chosen = adapted_nano(), clips[:8]
    base = tokens(nano.model, nano, chosen)
    assert tokens(adapted.get_base_model(), nano, chosen) != base
    scale_adapter(adapted, 0.0)
    assert tokens(adapted.get_base_model(), nano, chosen) == base


def test_scale_changes_the_output_in_proportion(nano):
    adapted = adapted_nano()
    layer = adapted.get_base_model().model.decoder.layers[0].fc1
    x = torch.randn(1, 160)
    base, whole = layer.base_layer(x), layer(x)
    scale_adapter(adapted, 0.5)
    torch.testing.assert_close(layer(x) - base, (whole - base) / 2, rtol=1e-4, atol=1e-5)


def test_merged_equals_unmerged_and_peft_loads_it(nano, clips, tmp_path):
    adapted, chosen = adapted_nano(), clips[:8]
    save_adapter(adapted, tmp_path / "adapter")
    unmerged = tokens(adapted.get_base_model(), nano, chosen)
    reloaded = PeftModel.from_pretrained(load_base(str(NANO)), str(tmp_path / "adapter")).eval()
    assert tokens(reloaded.get_base_model(), nano, chosen) == unmerged
    merged = merge_saved(load_base(str(NANO)), tmp_path / "adapter").eval()
    assert tokens(merged, nano, chosen) == unmerged
    assert not [name for name, _ in merged.named_parameters() if "lora" in name]


def test_only_adapters_are_trainable_and_in_fp32():
    trainable = {n: p for n, p in adapted_nano().named_parameters() if p.requires_grad}
    assert all("lora_" in name and p.dtype == torch.float32 for name, p in trainable.items())
    # 3 encoder layers of 6 linear layers, 3 decoder layers of 10; two matrices each
    assert len(trainable) == 2 * (3 * 6 + 3 * 10)


def test_unknown_target():
    with pytest.raises(
        ParlureError, match=r"adapter\.targets names q_prj, and the model has no such linear layer"
    ) as caught:
        attach(load_base(str(NANO)), Adapters(4, 8.0, targets=["q_prj"]), "nano")
    assert caught.value.hint == "it has fc1, fc2, k_proj, out_proj, q_proj, v_proj"
