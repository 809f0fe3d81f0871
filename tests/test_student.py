"""Student's t against a printed table."""

from __future__ import annotations

import pytest

from parlure.scoring.student import t_quantile


@pytest.mark.parametrize(
    ("probability", "degrees", "expected"),
    [  # NIST/SEMATECH e-Handbook, table 1.3.6.7.2
        (0.975, 1, 12.706), (0.975, 2, 4.303), (0.975, 7, 2.365), (0.975, 11, 2.201), (0.975, 30, 2.042),
        (0.975, 100, 1.984), (0.975, 100_000, 1.960), (0.95, 10, 1.812), (0.995, 5, 4.032), (0.5, 5, 0.0),
    ],
)  # fmt: skip
def test_t_quantile(probability, degrees, expected):
    assert t_quantile(probability, degrees) == pytest.approx(expected, abs=6e-4)
