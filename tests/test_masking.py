"""SpecAugment, label smoothing and dropout: what they do to features, loss and layers, and that decoding has none."""

import pytest
import torch
from test_loop import recipe

from parlure.sections import AugmentationSection
from parlure.training.masking import N_MASKS, Masking
from parlure.training.trainee import SummedLoss, Trainee
from parlure.whisper.load import NANO, load_base, load_tokenizer


def features(n=200, n_frames=600, value=None):
    torch.manual_seed(5)
    made = torch.randn(n, 80, n_frames)
    return made if value is None else torch.full_like(made, value)


def test_none_unless_asked_for():
    assert Masking.of(AugmentationSection()) is None
    assert Masking.of(AugmentationSection(spec_augment=0.5, mask_s=0.7)) == Masking(0.5, 15, 70)


def test_so_many_windows_are_masked_in_bands_and_stretches_of_their_sound():
    before, sound = features(), torch.arange(200) * 3
    torch.manual_seed(0)
    after = Masking(0.5, 15, 70).masked(before, sound)
    changed = after != before
    assert 0.3 < changed.any(dim=(1, 2)).float().mean() < 0.65
    for number in changed.any(dim=(1, 2)).nonzero().flatten().tolist():
        own, n_sound = changed[number], int(sound[number])
        n_bands = int(own.all(dim=1).sum())
        assert n_bands <= N_MASKS * 15
        whole = own.all(dim=0)  # frames masked in every mel
        assert whole.sum() <= N_MASKS * min(70, 0.2 * n_sound)
        assert not whole[n_sound:].any()  # stretches lie in the sound
        # all that is masked belongs to a band or a stretch, and has the mean of the sound
        assert torch.equal(own, own.all(dim=1)[:, None] | whole[None, :])
        expected = before[number, :, : max(1, n_sound)].mean()
        assert after[number][own] == pytest.approx(float(expected), abs=1e-5)


def test_it_follows_from_the_seed_and_leaves_its_input_alone():
    before, sound, masking = features(20), torch.full((20,), 600), Masking(1.0, 15, 70)
    kept = before.clone()
    torch.manual_seed(1)
    first = masking.masked(before, sound)
    torch.manual_seed(1)
    assert torch.equal(first, masking.masked(before, sound)) and torch.equal(before, kept)
    assert not torch.equal(first, masking.masked(before, sound))
    assert torch.equal(Masking(1.0, 0, 0).masked(before, sound), before)


def trainee(corpus_folder, **training):
    torch.manual_seed(0)
    settings = recipe(corpus_folder, adapter={"dropout": 0.0}, training=training)
    return Trainee.of(settings, load_base(str(NANO)), load_tokenizer(str(NANO)), torch.device("cpu"))


def test_label_smoothing_is_the_share_asked_of_all_tokens():
    whisper = load_base(str(NANO)).eval()
    encoded, inputs = torch.randn(2, 100, whisper.config.d_model), torch.tensor([[1, 2, 3], [4, 5, 6]])
    targets = torch.tensor([[2, 3, -100], [5, 6, 7]])
    with torch.no_grad():
        plain, smooth = (SummedLoss(whisper, None, share)(encoded, inputs, targets) for share in (0.0, 0.2))
        hidden = whisper.model.decoder(input_ids=inputs, encoder_hidden_states=encoded).last_hidden_state
        spread = -whisper.proj_out(hidden[targets != -100]).log_softmax(-1).mean(-1).sum()
    torch.testing.assert_close(smooth, 0.8 * plain + 0.2 * spread)


def test_dropout_is_in_training_alone(corpus_folder):
    made = trainee(corpus_folder, dropout=0.3)
    whisper = made.whisper
    tokens, encoded = torch.tensor([[1, 2, 3]]), torch.randn(1, 100, whisper.config.d_model)

    def runs():
        return [whisper.model.decoder(input_ids=tokens, encoder_hidden_states=encoded)[0] for _ in range(2)]

    with torch.no_grad():
        whisper.train()
        assert not torch.equal(*runs())
        whisper.eval()
        assert torch.equal(*runs())
    assert all(layer.dropout == 0.3 for layer in [*whisper.model.encoder.layers, *whisper.model.decoder.layers])
    assert all(layer.dropout == 0.0 for layer in trainee(corpus_folder).whisper.model.decoder.layers)
