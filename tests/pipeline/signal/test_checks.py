import pytest

from pipeline.errors import ConfigError
from pipeline.signal import checks
from pipeline.signal.precision import as_mask, to_float64


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_positive_fails(value):
    with pytest.raises(ConfigError, match="rate should be a finite number above 0"):
        checks.check_positive("rate", value)


def test_at_least_fails_on_what_is_no_number():
    with pytest.raises(ConfigError, match="at least 1, got nan"):
        checks.check_at_least("length", float("nan"), 1)


def test_pass():
    checks.check_positive("rate", 1e-9)
    checks.check_at_least("length", 1, 1)
    checks.check_corners([1.0, 49.9], 100.0)
    checks.check_order(20)


@pytest.mark.parametrize("order", [21, 2.5, "4"])
def test_order_fails(order):
    with pytest.raises(ConfigError, match="order should be an integer from 1 to 20"):
        checks.check_order(order)


def test_a_single_value_is_no_record():
    with pytest.raises(ConfigError, match="samples need a time axis"):
        to_float64(3.0)


def test_a_mask_broadcasts_over_components():
    assert as_mask([True, False], (3, 2)).sum() == 3
    assert not as_mask(None, (3, 2)).any()
