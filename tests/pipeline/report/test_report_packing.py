"""What a page reads is what was rounded, to the last bit."""

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.report.packing import Store, digits_for, pack, rounded

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def unpack(packed: dict[str, Any]) -> NDArray[np.float64]:
    """Read packed values as the page's script does; written from the description of `pack`."""
    kind = packed.get("type")
    if kind is None:
        counts = packed["first"] + packed["step"] * np.arange(packed["n"], dtype=np.float64)
    elif kind == "c2":
        letters = packed["data"]
        codes = [
            64 * ALPHABET.index(a) + ALPHABET.index(b)
            for a, b in zip(letters[::2], letters[1::2], strict=True)
        ]
        counts = np.array([np.nan if code == 4095 else packed["first"] + code for code in codes])
    else:
        raw = np.frombuffer(base64.b64decode(packed["data"]), f"<{kind}")
        counts = raw.astype(np.float64)
        if kind != "f8":
            counts = np.where(raw == np.iinfo(raw.dtype).min, np.nan, counts + packed["first"])
    assert len(counts) == packed["n"]
    digits = packed["digits"]
    return np.asarray(counts / 10.0**digits if digits >= 0 else counts * 10.0**-digits)


values = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")), st.just(float("inf"))), max_size=40)


@given(values, st.integers(-3, 6))
def test_values_come_back_as_rounded(numbers: list[float], digits: int) -> None:
    wanted = rounded(numbers, digits)
    assert np.array_equal(unpack(pack(numbers, digits)), wanted, equal_nan=True)
    finite = np.isfinite(numbers)
    assert np.abs(wanted - np.array(numbers))[finite].max(initial=0) <= 0.5 * 10.0**-digits * (1 + 1e-6)
    assert np.isnan(wanted[~finite]).all()


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ([0, 1, 2, 3], None),
        ([0, 4094, 1], "c2"),
        ([0, 4095, 1], "i2"),
        ([np.nan, np.nan], "c2"),
        ([], "c2"),
        ([0, 65532, 1], "i2"),
        ([0, 65533, 1], "i4"),
        ([0, 1e10, 1], "f8"),
    ],
)
def test_smallest_form_is_taken(numbers: list[float], kind: str | None) -> None:
    packed = pack(numbers, 0)
    assert packed.get("type") == kind
    assert np.array_equal(unpack(packed), np.array(numbers, float), equal_nan=True)


def test_input_may_be_read_only_and_stays() -> None:
    numbers = np.array([1.25, np.nan])
    numbers.flags.writeable = False
    pack(numbers, 1)
    assert numbers[0] == 1.25


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_digits_part_a_span_into_a_thousand_steps(low: float, span: float) -> None:
    steps = span * 10.0 ** digits_for([low, low + span])
    assert (low + span) - low == pytest.approx(span, rel=0.2) or span < 1e-6 * abs(low)
    if (low + span) - low == pytest.approx(span, rel=1e-3):
        assert 999 <= steps <= 10_010


def test_equal_arrays_are_held_once() -> None:
    store = Store()
    numbers = [store.array(values, 1) for values in ([1.0, 2.0, 4.0], [1.0, 2.0, 4.01], [1.0, 2.0, 5.0])]
    assert numbers == [0, 0, 1]
    assert store.put({"a": 1}) == store.put({"a": 1}) == 2
