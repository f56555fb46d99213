"""Student's t and the normal without SciPy: distribution and quantile, by the incomplete beta function's fraction."""

from __future__ import annotations

import math
from statistics import NormalDist


def t_two_sided(t: float, degrees: float) -> float:
    """P(|T| >= |t|) with `degrees` of freedom (infinity: the normal distribution).

    >>> round(t_two_sided(4.302652729911275, 2), 9)
    0.05
    """
    if math.isinf(degrees):
        return math.erfc(abs(t) / math.sqrt(2))
    return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t))


def t_quantile(p: float, degrees: float) -> float:
    """The p-quantile, 0 < p < 1.

    >>> round(t_quantile(0.975, 2), 9)
    4.30265273
    """
    if not 0 < p < 1:
        raise ValueError(f"a quantile needs 0 < p < 1, got {p}")
    if math.isinf(degrees):
        return NormalDist().inv_cdf(p)
    if p < 0.5:
        return -t_quantile(1 - p, degrees)
    tail, low, high = 2 * (1 - p), 0.0, 1.0
    while t_two_sided(high, degrees) > tail:
        low, high = high, high * 2
    for _ in range(200):  # halving ends at neighbouring floats well before
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_two_sided(middle, degrees) > tail else (low, middle)
    return (low + high) / 2


def normal_below(z: float) -> float:
    """P(Z <= z) of the standard normal.

    >>> round(normal_below(-1.959963984540054), 9)
    0.025
    """
    return math.erfc(-z / math.sqrt(2)) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function I_x(a, b), 0 <= x <= 1."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast below this
        return 1 - incomplete_beta(b, a, 1 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's algorithm for the continued fraction (DLMF 8.17.22)."""
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    result = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + term * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + term / c
            c = c if abs(c) > tiny else tiny
            result *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return result
