"""Student's t without scipy: one quantile, for jackknife intervals of measures that are no quotient of sums."""

from __future__ import annotations

import math
from functools import cache


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Lentz's continued fraction of the incomplete beta function (Numerical Recipes, § 6.4)."""
    tiny = 1e-300
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d = 1.0 / ((1.0 + term * d) or tiny)
            c = (1.0 + term / c) or tiny
            step = c * d
            value *= step
        if abs(step - 1.0) < 1e-15:
            break
    return value


def _beta_cdf(a: float, b: float, x: float) -> float:
    if x <= 0.0 or x >= 1.0:
        return float(x > 0.0)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, 1.0 - x) / b


@cache
def t_quantile(probability: float, degrees: int) -> float:
    """The quantile of Student's t distribution, by bisection on its exact distribution function.

    Args:
        probability: 0.5 to below 1.
        degrees: of freedom, at least 1.
    """
    low, high = 0.0, 1.0
    tail = 2.0 * (1.0 - probability)  # two-sided: I_x(degrees/2, 1/2) at x = degrees / (degrees + t²)

    def two_sided(t: float) -> float:
        return _beta_cdf(degrees / 2.0, 0.5, degrees / (degrees + t * t))

    while two_sided(high) > tail:
        high *= 2.0
    for _ in range(200):
        middle = (low + high) / 2.0
        low, high = (middle, high) if two_sided(middle) > tail else (low, middle)
    return (low + high) / 2.0
