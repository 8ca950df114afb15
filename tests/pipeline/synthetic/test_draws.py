"""Draws: named, independent of each other, and an endless record that is the same however it is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.synthetic.draws import generator, white_noise

WORDS = st.lists(st.one_of(st.integers(-5, 5), st.text("ab1", max_size=2)), max_size=3)


@given(one=WORDS, other=WORDS)
def test_keys_are_told_apart(one: list[str | int], other: list[str | int]) -> None:
    same = [(type(word), word) for word in one] == [(type(word), word) for word in other]
    draws = [generator(3, *key).integers(2**62) for key in (one, other)]
    assert bool(draws[0] == draws[1]) == same


def test_seeds_are_told_apart() -> None:
    assert len({int(generator(seed, "a").integers(2**62)) for seed in range(-50, 50)}) == 100


@given(first=st.integers(-200_000, 200_000), length=st.integers(0, 150_000), data=st.data())
def test_any_cut_is_the_same(first: int, length: int, data: st.DataObject) -> None:
    whole = white_noise(1, ("n", 2), first, first + length)
    begin = data.draw(st.integers(0, length))
    end = data.draw(st.integers(begin, length))
    np.testing.assert_array_equal(whole[begin:end], white_noise(1, ("n", 2), first + begin, first + end))


@pytest.mark.parametrize("lag", [1, 2, 65_536])
def test_white(lag: int) -> None:
    noise = white_noise(5, ["w"], -300_000, 700_000).astype(np.float64)
    count = len(noise)
    # Five standard errors of mean, variance and correlation of a million normal numbers.
    assert abs(noise.mean()) < 5 / np.sqrt(count)
    assert abs(noise.var() - 1) < 5 * np.sqrt(2 / count)
    assert abs((noise[lag:] * noise[:-lag]).mean()) < 5 / np.sqrt(count - lag)


def test_records_of_two_keys_are_independent() -> None:
    one, other = (white_noise(5, [name], 0, 1_000_000).astype(np.float64) for name in "ab")
    assert abs((one * other).mean()) < 5e-3
