"""Labels of utterances that share a window → the labels of the window."""

from __future__ import annotations

from collections.abc import Sequence

from parlure.whisper.prompt import IGNORED, TIMESTAMP_STEP_S, Labels, SpecialTokens


def has_words(labels: Labels, special: SpecialTokens) -> bool:
    """Whether there is a text, with no previous text before its prompt."""
    return labels.inputs[0] == special.start and any(id_ < special.end for id_ in _body(labels, special))


def join_labels(
    labels: Sequence[Labels], spans_s: Sequence[tuple[float, float]], special: SpecialTokens, *, stamped: bool
) -> Labels:
    """What is said in a window in which utterances stand behind each other.

    Args:
        labels: of each, in order; all of one language and one task, none with a previous text.
        spans_s: where each begins and ends in the window, in seconds.
        special: ids of the vocabulary.
        stamped: whether phrases carry their times. They do in any case where an utterance's own labels do, for what is
            known is not thrown away; an utterance without times of its own counts as one phrase.
    """
    is_stamped = [one.inputs[3] != special.no_timestamps for one in labels]
    stamped = stamped or any(is_stamped)
    sequence = [*labels[0].inputs[:3]] if stamped else [*labels[0].inputs[:3], special.no_timestamps]
    n_given = len(sequence) - 1
    for one, has_stamps, (start_s, end_s) in zip(labels, is_stamped, spans_s, strict=True):
        first, last = (special.timestamp_begin + round(time_s / TIMESTAMP_STEP_S) for time_s in (start_s, end_s))
        body = _body(one, special)
        if has_stamps:
            shift = first - special.timestamp_begin
            sequence += [id_ + shift if id_ >= special.timestamp_begin else id_ for id_ in body]
        else:
            sequence += [first, *body, last] if stamped else body
    sequence.append(special.end)
    return Labels(tuple(sequence[:-1]), (*[IGNORED] * n_given, *sequence[1 + n_given :]))


def _body(labels: Labels, special: SpecialTokens) -> tuple[int, ...]:
    """What stands between prompt and end."""
    return labels.inputs[4 if labels.inputs[3:4] == (special.no_timestamps,) else 3 :]
