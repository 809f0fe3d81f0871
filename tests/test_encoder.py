"""The encoder that takes short input: stock at 30 s, the same layers on fewer positions below."""

import pytest
import torch
from transformers import WhisperForConditionalGeneration

from parlure.whisper.load import NANO


@pytest.fixture(scope="module")
def stock():
    return WhisperForConditionalGeneration.from_pretrained(NANO, dtype=torch.float32).eval()


@torch.inference_mode()
def test_full_window_is_bit_for_bit_the_stock_encoder(nano, stock):
    features = torch.randn(2, 80, 3000, generator=torch.Generator().manual_seed(0))
    ours = nano.model.model.encoder(features).last_hidden_state
    assert torch.equal(ours, stock.model.encoder(features).last_hidden_state)


@torch.inference_mode()
def test_short_input_gives_half_as_many_positions(nano):
    assert nano.model.model.encoder(torch.zeros(1, 80, 250)).last_hidden_state.shape == (1, 125, 160)


@torch.inference_mode()
def test_stock_refuses_what_ours_takes(stock):
    with pytest.raises(ValueError, match="3000"):
        stock.model.encoder(torch.zeros(1, 80, 250))
