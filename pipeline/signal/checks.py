"""Checks of arguments: each says what was wrong, what it was given, and what would be right."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from pipeline.errors import ConfigError

__all__ = ["check_at_least", "check_corners", "check_order", "check_positive"]


def check_positive(name: str, value: float) -> None:
    """
    Refuse what is not a finite number above zero.

    >>> check_positive("rate_hz", 0.0)
    Traceback (most recent call last):
    pipeline.errors.ConfigError: rate_hz should be a finite number above 0, got 0.0
    """
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(f"{name} should be a finite number above 0, got {value}")


def check_at_least(name: str, value: float, least: float) -> None:
    """
    Refuse what is below the least sensible value.

    >>> check_at_least("length", 0, 1)
    Traceback (most recent call last):
    pipeline.errors.ConfigError: length should be at least 1, got 0
    """
    if not value >= least:
        raise ConfigError(f"{name} should be at least {least}, got {value}")


def check_order(order: int) -> None:
    """
    Refuse a filter order that is no integer from 1 to 20.

    >>> check_order(0)
    Traceback (most recent call last):
    pipeline.errors.ConfigError: order should be an integer from 1 to 20, got 0
    """
    if order not in range(1, 21):
        raise ConfigError(f"order should be an integer from 1 to 20, got {order!r}")


def check_corners(corners_hz: Sequence[float], rate_hz: float) -> None:
    """
    Refuse corners that are not rising, or don't lie between zero and the Nyquist frequency.

    >>> check_corners([1.0, 60.0], 100.0)
    Traceback (most recent call last):
    pipeline.errors.ConfigError: corner 60.0 Hz should lie between 0 and the Nyquist frequency 50.0 Hz ...
    """
    check_positive("rate_hz", rate_hz)
    nyquist_hz = rate_hz / 2
    for corner_hz in corners_hz:
        if not 0 < corner_hz < nyquist_hz:
            raise ConfigError(
                f"corner {corner_hz} Hz should lie between 0 and the Nyquist frequency {nyquist_hz} Hz"
                f" of data at {rate_hz} Hz"
            )
    if any(low >= high for low, high in itertools.pairwise(corners_hz)):
        raise ConfigError(f"corners should rise, got {list(corners_hz)} Hz")
