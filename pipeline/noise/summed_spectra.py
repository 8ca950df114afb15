"""
Summed spectra: the powers of sub-windows added up, which is all that a density needs of them.

Two real sub-windows make one complex transform, z = x + i y, and |X(k)|² + |Y(k)|² is the half of
|Z(k)|² + |Z(-k)|²: neither they nor the frequencies have to be put in order before all are added up.

A transform of n samples is split as by Cooley & Tukey (1965) into transforms of n / 4096 samples, of 64 and
of 64. Each is worked out for 64 columns side by side, which fill vectors of any width; what is longer than
the first is worked on within the caches next to the processor. Samples are freed of their lines and weighted
as they are first read, and powers are added up where they come out. Libraries give back each spectrum
instead, through memory and in order; how much longer that takes stands in docs/benchmarks/noise.md.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, DTypeLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.precision import FloatArray, IndexArray

__all__ = ["SummedSpectra"]

_SIDE: Final = 64
"""Columns that are worked on side by side, and rows of the tiles that are turned."""
_LINE: Final = 64
"""Bytes in a line of a cache: vectors that lie across two take twice as long."""
_BESIDE: Final = 8
"""Columns of a tile that are turned together: as many as a line holds in single precision."""


class SummedSpectra:
    """
    Spectra of sub-windows of one length.

    Parameters
    ----------
    weights : array_like, shape (length,)
        The taper; its length is a power of two from 4 on.
    precision : str
        Of the transforms: ``float32`` or ``float64``.

    Raises
    ------
    ConfigError
        Where the length is another.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> samples, weights = rng.normal(size=40), np.hanning(32)
    >>> spectra = SummedSpectra(weights, "float64")
    >>> power = spectra.sum(samples, np.array([0, 8]), lines=np.zeros((2, 2)), origin=0.0, factor=1.0)
    >>> first, second = np.fft.rfft(samples[:32] * weights), np.fft.rfft(samples[8:] * weights)
    >>> bool(np.allclose(power, (abs(first) ** 2 + abs(second) ** 2)[1:]))
    True
    """

    def __init__(self, weights: ArrayLike, precision: str) -> None:
        taper = np.asarray(weights, dtype=precision)
        length = taper.size
        if length < 4 or length & (length - 1):
            raise ConfigError(f"the length of a sub-window should be a power of two from 4 on, got {length}")
        self._plan = _plan(length, precision)
        outer, inner = self._plan.outer.size, self._plan.columns.size
        whole = np.result_type(precision, np.complex64)
        self._work = _Work(
            taper,
            _aligned(2 * _SIDE * max(outer, _SIDE), precision),
            _aligned(max(length, _SIDE), whole),
            _aligned(_SIDE * _SIDE, whole),
            _aligned(_SIDE * _SIDE, whole),
            _aligned(_SIDE * outer * inner, precision),
        )

    def sum(
        self, samples: NDArray[Any], places: IndexArray, *, lines: FloatArray, origin: float, factor: float
    ) -> NDArray[Any]:
        """
        Add up the powers of sub-windows.

        Parameters
        ----------
        samples : array, shape (samples,)
        places : array of int64, shape (sub-windows,)
            Their first samples.
        lines : array of float64, shape (sub-windows, 2)
            What is taken out of each after the origin: a value at its first sample, and a slope per sample.
        origin : float
            Taken from all samples.
        factor : float
            By which what is left is multiplied, before it is rounded to the precision of the transforms.

        Returns
        -------
        array, shape (length / 2,)
            Squared spectra, from the lowest frequency above 0 up to the Nyquist frequency.

        Raises
        ------
        ConfigError
            Where a sub-window is not within the samples, or has no line.
        """
        length = self._work.weights.size
        if places.size and not 0 <= places.min() <= places.max() <= samples.size - length:
            raise ConfigError(
                f"sub-windows should begin from 0 to {samples.size - length} to have their {length} samples"
                f" among {samples.size}, got {places.min()} to {places.max()}"
            )
        if lines.shape != (places.size, 2):
            raise ConfigError(f"lines should have the shape ({places.size}, 2), got {lines.shape}")
        power = np.empty(self._plan.here.size, dtype=self._work.power.dtype)
        _sum(_frozen(samples), places, lines, origin, factor, self._plan, self._work, power)
        return power


class _Plan(NamedTuple):
    """
    What all transforms of a length share.

    ``outer``, ``rows`` and ``columns`` are the roots of unity of the three transforms. Between the first and
    the second each value is multiplied by one factor of ``coarse``, for the first of 64 columns, and one of
    ``fine``; between the second and the third, of 64 columns in all, by one of ``between`` and ``ones``.
    ``here`` and ``mirrored`` say where in the sums the powers of Z(k) and Z(-k) are.
    """

    outer: NDArray[Any]
    rows: NDArray[Any]
    columns: NDArray[Any]
    coarse: NDArray[Any]
    fine: NDArray[Any]
    between: NDArray[Any]
    ones: NDArray[Any]
    here: NDArray[np.int32]
    mirrored: NDArray[np.int32]


class _Work(NamedTuple):
    """
    Where transforms are worked out.

    In ``lanes`` each row of 64 complex values stands as 64 real parts and 64 imaginary ones.
    """

    weights: NDArray[Any]
    lanes: NDArray[Any]
    table: NDArray[Any]
    tile: NDArray[Any]
    turned: NDArray[Any]
    power: NDArray[Any]


@lru_cache(maxsize=8)
def _plan(length: int, precision: str) -> _Plan:
    columns = min(length, _SIDE)
    rows = min(length // columns, _SIDE)
    outer = length // columns // rows
    whole = np.result_type(precision, np.complex64)
    first, second, third = _order(outer), _order(rows), _order(columns)
    side = np.arange(_SIDE)
    frequency = first[:, None, None] + outer * (second[:, None] + rows * third)
    place = (np.arange(outer)[:, None, None] * columns + np.arange(columns)) * _SIDE + side[:rows, None]
    places = np.empty(length, dtype=np.int32)
    places[frequency] = place
    half = length // 2
    arrays = (
        *(_roots(np.arange(size), size).astype(whole) for size in (outer, rows, columns)),
        _roots(first * np.arange(0, rows * columns, _SIDE)[:, None], length).astype(whole),
        _lanes(_roots(first[:, None] * side, length), precision),
        _lanes(_roots(second[:, None] * side, rows * columns), precision),
        np.ones(rows, dtype=whole),
        places[1 : half + 1],
        places[: half - 1 : -1],
    )
    return _Plan(*(_frozen(np.ascontiguousarray(array)) for array in arrays))


def _order(size: int) -> IndexArray:
    """Return which frequency comes out in each row of `_transform`."""
    if size <= 2:
        return np.arange(size)
    return np.concatenate([4 * _order(size // 4) + rest for rest in range(4)])


def _roots(powers: IndexArray, size: int) -> NDArray[np.complex128]:
    return np.asarray(np.exp(-2j * np.pi * (powers % size) / size))


def _lanes(factors: NDArray[np.complex128], precision: str) -> NDArray[Any]:
    lanes = _aligned(2 * factors.size, precision)
    lanes[:] = np.concatenate([factors.real, factors.imag], axis=1).ravel()
    return lanes


def _aligned(size: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return zeros that begin with a line of the caches."""
    many = size * np.dtype(dtype).itemsize
    room = np.zeros(many + _LINE, dtype=np.uint8)
    begin = -room.ctypes.data % _LINE
    return room[begin : begin + many].view(dtype)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view that can't be written to: what is compiled is the same for whatever is given."""
    view = array.view()
    view.flags.writeable = False
    return view


@njit(nogil=True, cache=True)
def _sum(samples, places, lines, origin, factor, plan, work, total):  # type: ignore[no-untyped-def]
    work.power[:] = 0
    for first in range(0, places.size, 2):
        pair = slice(first, first + 2)
        _first_transform(samples, places[pair], lines[pair], origin, factor, plan, work)
        _other_transforms(plan, work)
    for index in range(total.size):
        both = work.power[plan.here[index]] + work.power[plan.mirrored[index]]
        total[index] = both / 2


@njit(nogil=True, cache=True)
def _first_transform(samples, places, lines, origin, factor, plan, work):  # type: ignore[no-untyped-def]
    """Transform a pair over what is farthest apart: from samples to the table."""
    across = plan.rows.size * plan.columns.size
    for column in range(0, across, _SIDE):
        for part in range(2):
            # The last of an odd number is paired with nothing: itself, times zero.
            one = min(part, places.size - 1)
            scale = factor if one == part else 0.0
            sub_window = samples[places[one] : places[one] + work.weights.size]
            lanes = work.lanes[_SIDE * part :]
            # A width that is known when this is compiled makes it a third faster.
            if across >= _SIDE:
                _load(sub_window, lines[one], origin, scale, work.weights, column, across, _SIDE, lanes)
            else:
                _load(sub_window, lines[one], origin, scale, work.weights, 0, across, across, lanes)
        _transform(work.lanes, plan.outer)
        _store(work.lanes, plan.fine, plan.coarse[column // _SIDE], column, across, work.table)


@njit(nogil=True, cache=True)
def _other_transforms(plan, work):  # type: ignore[no-untyped-def]
    """Transform each row of the table, and add up its power."""
    rows, columns = plan.rows.size, plan.columns.size
    for index in range(plan.outer.size):
        _split(work.table[index * rows * columns :], rows, work.lanes)
        _transform(work.lanes, plan.rows)
        _store(work.lanes, plan.between, plan.ones, 0, _SIDE, work.tile)
        _turn(work.tile, rows, work.turned)
        _split(work.turned, columns, work.lanes)
        _transform(work.lanes, plan.columns)
        _add_power(work.lanes, work.power[index * columns * _SIDE : (index + 1) * columns * _SIDE])


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _load(samples, line, origin, factor, weights, column, across, width, lanes):  # type: ignore[no-untyped-def]
    """Take a line out of columns of a sub-window, and weight what is left."""
    level, slope = line[0], line[1]
    for row in range(weights.size // across):
        begin = row * across + column
        # Slices, since numba asks of each other index whether it counts from the end.
        given, weight = samples[begin : begin + width], weights[begin : begin + width]
        freed = lanes[2 * row * _SIDE : 2 * row * _SIDE + width]
        for index in range(width):
            value = np.float64(given[index]) - origin
            freed[index] = (value - (level + slope * (begin + index))) * factor * weight[index]


@njit(nogil=True, cache=True)
def _transform(lanes, roots):  # type: ignore[no-untyped-def]
    """Transform columns in place; `_order` says which frequency each row then holds."""
    span = roots.size
    while span >= 4:
        _butterflies_of_four(lanes, span // 4, roots)
        span //= 4
    if span == 2:
        _butterflies_of_two(lanes, roots.size)


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _butterflies_of_four(lanes, step, roots):  # type: ignore[no-untyped-def]
    width, apart = 2 * _SIDE, 2 * _SIDE * step
    for group in range(0, roots.size, 4 * step):
        for row in range(step):
            turn = row * (roots.size // (4 * step))
            root, second_root, third_root = roots[turn], roots[2 * turn], roots[3 * turn]
            begin = width * (group + row)
            first, second = lanes[begin : begin + width], lanes[begin + apart : begin + apart + width]
            begin += 2 * apart
            third, fourth = lanes[begin : begin + width], lanes[begin + apart : begin + apart + width]
            for index in range(_SIDE):
                a = complex(first[index], first[index + _SIDE])
                b = complex(second[index], second[index + _SIDE])
                c = complex(third[index], third[index + _SIDE])
                d = complex(fourth[index], fourth[index + _SIDE])
                even_sum, even_difference = a + c, a - c
                odd_sum, odd_difference = b + d, complex(b.imag - d.imag, d.real - b.real)
                a, c = even_sum + odd_sum, (even_sum - odd_sum) * second_root
                b = (even_difference + odd_difference) * root
                d = (even_difference - odd_difference) * third_root
                first[index], first[index + _SIDE] = a.real, a.imag
                second[index], second[index + _SIDE] = b.real, b.imag
                third[index], third[index + _SIDE] = c.real, c.imag
                fourth[index], fourth[index + _SIDE] = d.real, d.imag


@njit(nogil=True, cache=True)
def _butterflies_of_two(lanes, rows):  # type: ignore[no-untyped-def]
    width = 2 * _SIDE
    for begin in range(0, rows * width, 2 * width):
        first, second = lanes[begin : begin + width], lanes[begin + width : begin + 2 * width]
        for index in range(width):
            value, other = first[index], second[index]
            first[index], second[index] = value + other, value - other


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _store(lanes, fine, coarse, column, across, table):  # type: ignore[no-untyped-def]
    """Multiply rows by their factors, and store them as complex numbers."""
    for row in range(coarse.size):
        part = slice(2 * _SIDE * row, 2 * _SIDE * (row + 1))
        begin, factor = across * row + column, coarse[row]
        values, factors, stored = lanes[part], fine[part], table[begin : begin + _SIDE]
        for index in range(_SIDE):
            exact = complex(factors[index], factors[index + _SIDE]) * factor
            stored[index] = complex(values[index], values[index + _SIDE]) * exact


@njit(nogil=True, cache=True)
def _split(table, rows, lanes):  # type: ignore[no-untyped-def]
    for row in range(rows):
        begin = _SIDE * row
        values, split = table[begin : begin + _SIDE], lanes[2 * begin : 2 * (begin + _SIDE)]
        for index in range(_SIDE):
            split[index], split[index + _SIDE] = values[index].real, values[index].imag


@njit(nogil=True, cache=True)
def _turn(tile, rows, turned):  # type: ignore[no-untyped-def]
    """Turn rows into columns, a line of the cache at a time."""
    for column in range(0, _SIDE, _BESIDE):
        for row in range(rows):
            begin = _SIDE * row + column
            values, out = tile[begin : begin + _BESIDE], turned[_SIDE * column + row :]
            for index in range(_BESIDE):
                out[_SIDE * index] = values[index]


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _add_power(lanes, power):  # type: ignore[no-untyped-def]
    for row in range(power.size // _SIDE):
        begin = _SIDE * row
        values, summed = lanes[2 * begin : 2 * (begin + _SIDE)], power[begin : begin + _SIDE]
        for index in range(_SIDE):
            real, imaginary = values[index], values[index + _SIDE]
            summed[index] += real * real + imaginary * imaginary
