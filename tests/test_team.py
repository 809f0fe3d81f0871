"""How the parts of a step are dealt out to processes."""

from hypothesis import given
from hypothesis import strategies as st

from parlure.training.team import dealt

COSTS = st.lists(st.floats(0.1, 100.0), max_size=20)


@given(COSTS, st.integers(1, 5))
def test_every_part_once_in_order_and_nobody_much_dearer(costs, n_hands):
    hands = dealt(costs, n_hands)
    assert len(hands) == n_hands
    assert sorted(index for hand in hands for index in hand) == list(range(len(costs)))
    assert all(hand == sorted(hand) for hand in hands)
    best = max([sum(costs) / n_hands, *costs])  # no deal can be better than this
    loads = [sum(costs[index] for index in hand) for hand in hands]
    assert max(loads) <= best + max([*costs, 0.0]) * (1 - 1 / n_hands) + 1e-9


def test_the_dearest_part_is_left_alone():
    assert dealt([30.0, 9.0, 11.0, 10.0], 2) == [[0], [1, 2, 3]]
    assert dealt([1.0], 3) == [[0], [], []]
