"""The decoder in steps: transformers' own numbers, whatever rows leave, gather or change places."""

import pytest
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from parlure.transcribing.stepping import Stepper

LENGTH = 150  # tokens: beyond the room that memory begins with, and once more


@pytest.fixture(scope="module", params=[3, 1], ids=["as many layers", "distilled"])
def model(request) -> WhisperForConditionalGeneration:
    torch.manual_seed(0)
    config = WhisperConfig(vocab_size=120, d_model=32, encoder_layers=3, decoder_layers=request.param,
                           encoder_attention_heads=4, decoder_attention_heads=2, encoder_ffn_dim=64,
                           decoder_ffn_dim=48, init_std=0.3, pad_token_id=0, bos_token_id=1, eos_token_id=2,
                           decoder_start_token_id=3)  # fmt: skip
    return WhisperForConditionalGeneration(config).eval()


def inputs(n_rows: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Encoder output of 20 positions and ids."""
    generator = torch.Generator().manual_seed(seed)
    encoded = torch.randn(n_rows, 20, 32, generator=generator)
    return encoded, torch.randint(4, 120, (n_rows, LENGTH), generator=generator)


@torch.inference_mode()
def whole(model, encoded: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """transformers' logits of everything at once."""
    return model.proj_out(model.model.decoder(input_ids=ids, encoder_hidden_states=encoded).last_hidden_state).float()


@torch.inference_mode()
def test_steps_equal_the_whole(model):
    encoded, ids = inputs(3)
    expected, stepper = whole(model, encoded, ids), Stepper(model, encoded)
    for _ in range(2):
        torch.testing.assert_close(stepper(ids[:, :4], (0, -1)), expected[:, [0, 3]], rtol=1e-4, atol=1e-4)
        for place in range(4, LENGTH):
            torch.testing.assert_close(stepper(ids[:, [place]])[:, 0], expected[:, place], rtol=1e-4, atol=1e-4)
        stepper.restart()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@torch.inference_mode()
def test_half_precision(model, dtype):
    half = WhisperForConditionalGeneration(model.config).to(dtype).eval()
    half.load_state_dict(model.state_dict())
    encoded, ids = inputs(2)
    expected, stepper = whole(half, encoded.to(dtype), ids[:, :8]), Stepper(half, encoded.to(dtype))
    found = torch.cat([stepper(ids[:, :4]), *(stepper(ids[:, [place]]) for place in range(4, 8))], 1)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.05 * float(expected.abs().max()))


@pytest.mark.parametrize("staying", [[0, 1, 2, 3, 4], [0, 1, 2], [1, 4], [4], [0, 3, 4]])
@torch.inference_mode()
def test_rows_that_stay_go_on_as_they_were(model, staying):
    encoded, ids = inputs(5)
    expected, stepper = whole(model, encoded, ids), Stepper(model, encoded)
    stepper(ids[:, :6])
    order = stepper.keep(staying)
    assert sorted(order) == staying
    for place in range(6, 10):
        torch.testing.assert_close(stepper(ids[order, place, None])[:, 0], expected[order, place], rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_beams_share_an_utterance_and_change_places(model):
    encoded, ids = inputs(3)
    stepper = Stepper(model, encoded)
    stepper(ids[:, :4])
    stepper.spread(2)
    written = ids[:, None, :4].expand(3, 2, 4).flatten(0, 1)
    order = stepper.keep([0, 2])
    written, encoded = written.view(3, 2, 4)[order].flatten(0, 1), encoded[order].repeat_interleave(2, 0)
    for origins in ([0, 1, 2, 3], [1, 0, 2, 2], [0, 0, 3, 2]):
        stepper.follow(torch.tensor(origins))
        written = torch.cat((written[origins], torch.randint(4, 120, (4, 1))), 1)
        expected = whole(model, encoded, written)[:, -1]
        torch.testing.assert_close(stepper(written[:, -1:])[:, 0], expected, rtol=1e-4, atol=1e-4)
