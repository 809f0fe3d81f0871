"""Which utterances share a window, and what is asked for there."""

import pytest
from test_batches import SPECIAL, item

from parlure.training.windows import WindowPolicy, draw_windows
from parlure.whisper.joining import has_words, join_labels
from parlure.whisper.load import NANO, load_tokenizer
from parlure.whisper.prompt import IGNORED, MAX_TOKENS, SpecialTokens, encode_labels


def windows_of(items, policy, epoch=0):
    return draw_windows(items, policy, SPECIAL, seed=1, epoch=epoch)


@pytest.mark.parametrize(("share", "most"), [(0.0, 4), (0.2, 1), (0.2, 4), (1.0, 4)])
def test_the_share_is_of_utterances(share, most):
    windows = windows_of([item(n, 2.0) for n in range(2000)], WindowPolicy(share, most))
    n_full = sum(len(window.items) for window in windows if window.length_s == 30)
    assert n_full == pytest.approx(2000 * share, abs=120)
    alone = [window for window in windows if window.length_s < 30]
    assert {(len(window.items), window.padding) for window in alone} <= {(1, "silence")}


def test_one_to_so_many_share_a_window_in_both_paddings_half_of_them_stamped():
    windows = windows_of([item(n, 2.0) for n in range(2000)], WindowPolicy(1.0, 4))
    sizes = [len(window.items) for window in windows]
    assert {size: round(sizes.count(size) / len(sizes), 1) for size in sorted(set(sizes))} == {
        1: 0.2, 2: 0.2, 3: 0.2, 4: 0.3,
    } or all(sizes.count(size) > 0.2 * len(sizes) for size in (1, 2, 3, 4))  # fmt: skip
    assert sum(window.padding == "zeros" for window in windows) == pytest.approx(len(windows) / 2, rel=0.2)
    several = [window for window in windows if len(window.items) > 1]
    stamped = sum(window.labels.inputs[3] != SPECIAL.no_timestamps for window in several)
    assert stamped == pytest.approx(len(several) / 2, rel=0.2)


def test_only_one_speaker_of_one_conversation_shares_a_window_in_the_order_of_ids():
    items = [item(n, 1.0, group="ab"[n % 2]) for n in range(200)]
    for window in windows_of(items, WindowPolicy(1.0, 5)):
        assert len({one.group for one in window.items}) == 1
        assert [one.id for one in window.items] == sorted(one.id for one in window.items)
        pauses = [
            later - start - one.duration_s
            for start, later, one in zip(window.starts_s, window.starts_s[1:], window.items, strict=False)
        ]
        assert all(0.19 < pause < 1.21 for pause in pauses)


def test_as_many_as_fit_and_no_more_tokens_than_the_decoder_has():
    packed = windows_of([item(n, 9.0) for n in range(300)], WindowPolicy(1.0, 100))
    assert max(len(window.items) for window in packed) == 3
    wordy = windows_of([item(n, 1.0, n_tokens=150) for n in range(300)], WindowPolicy(1.0, 100))
    assert max(len(window.labels.inputs) for window in wordy) <= MAX_TOKENS - 1
    assert max(len(window.items) for window in wordy) == 2


def text(tokenizer, words, **kwargs):
    return encode_labels(tokenizer, words, utterance_id="u", language="fr", **kwargs)


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(str(NANO))


def test_silence_and_previous_text_stand_alone(tokenizer):
    special = SpecialTokens.of(tokenizer)
    assert has_words(text(tokenizer, "bonjour"), special)
    assert has_words(text(tokenizer, "bonjour", segments=[(0.0, 1.0, "bonjour")]), special)
    assert not has_words(text(tokenizer, ""), special)
    assert not has_words(text(tokenizer, "bonjour", previous="allô"), special)


def test_joined_labels_are_those_of_the_whole(tokenizer):
    special = SpecialTokens.of(tokenizer)
    parts = [text(tokenizer, "bonjour madame"), text(tokenizer, "oui, je vous écoute")]
    spans = [(0.0, 1.5), (2.0, 4.26)]
    plain = join_labels(parts, spans, special, stamped=False)
    assert plain == text(tokenizer, "bonjour madame oui, je vous écoute")
    stamped = join_labels(parts, spans, special, stamped=True)
    segments = [(*span, words) for span, words in zip(spans, ("bonjour madame", "oui, je vous écoute"), strict=True)]
    assert stamped == text(tokenizer, "x", segments=segments)


def test_stamps_that_are_known_stay_and_move(tokenizer):
    special = SpecialTokens.of(tokenizer)
    parts = [text(tokenizer, "allô"), text(tokenizer, "x", segments=[(0.1, 0.6, "bonjour"), (0.8, 1.2, "madame")])]
    joined = join_labels(parts, [(0.0, 1.0), (1.5, 2.9)], special, stamped=False)
    whole = [(0.0, 1.0, "allô"), (1.6, 2.1, "bonjour"), (2.3, 2.7, "madame")]
    assert joined == text(tokenizer, "x", segments=whole)
    assert joined.targets[:2] == (IGNORED, IGNORED) and IGNORED not in joined.targets[2:]
