"""Which endings are loops."""

import pytest

from parlure.transcribing.loopguard import goes_round, without_rounds


@pytest.mark.parametrize(
    ("tokens", "loops"),
    [
        ([], False),
        ([7] * 15, False),
        ([7] * 16, True),
        ([*range(20), *[7] * 16], True),
        ([*[7] * 16, 8], False),  # it got out by itself
        ([1, 2] * 7, False),
        ([1, 2] * 8, True),
        ([1, 2] * 8 + [1], True),
        ([1, 2, 3, 4, 5] * 3, False),  # long enough, but three times may be meant
        ([1, 2, 3, 4, 5] * 4, True),
        (list(range(32)) * 4, True),
        (list(range(33)) * 4, False),
        ([1, 1, 1, 2] * 4, True),
        (list(range(100)), False),
    ],
)
def test_endings(tokens, loops):
    assert goes_round(tokens) is loops


def test_what_would_have_been_left():
    assert without_rounds([1, 2, *[7] * 40]) == [1, 2, *[7] * 16]
    assert without_rounds([1, 2, 3] * 3) == [1, 2, 3] * 3
    assert without_rounds([*[7] * 16]) == [7] * 16
