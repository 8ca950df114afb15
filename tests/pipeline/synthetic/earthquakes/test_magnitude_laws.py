"""The law of ML: what it must be where ML is a line of Mw, with the scatter that records have."""

import numpy as np
import pytest

from pipeline.synthetic.earthquakes.magnitude_laws import local_law


@pytest.mark.parametrize("scatter", [0.0, 0.15])
@pytest.mark.parametrize("b", [0.8, 1.0, 1.2])
def test_b_is_that_of_mw_over_the_slope(b: float, scatter: float) -> None:
    draw = np.random.default_rng(7)
    mw = 0.5 - np.log10(draw.random(50_000)) / b
    ml = 1.5 * mw - 1.3 + scatter * draw.standard_normal(len(mw))
    law = local_law(mw, ml, 0.5)
    assert law is not None
    assert law.kind == "ML"
    assert law.b == pytest.approx(b / 1.5, abs=4 * law.b_std)
    assert law.b_std == pytest.approx(law.b / np.sqrt(law.events), rel=0.05)
    assert law.events == (ml >= law.minimum).sum()


def test_events_without_ml_are_left_out() -> None:
    mw = -np.log10(np.random.default_rng(7).random(5000))
    ml = np.where(np.arange(5000) % 2, 1.5 * mw, np.nan)
    whole, half = local_law(mw, 1.5 * mw, 0.0), local_law(mw, ml, 0.0)
    assert whole is not None
    assert half is not None
    assert half.b == pytest.approx(whole.b, abs=4 * half.b_std)


def test_too_few_have_no_law() -> None:
    assert local_law(np.array([0.05, 1.0]), np.array([np.nan, 0.3]), 0.0) is None
    assert local_law(np.linspace(0, 1, 9), np.linspace(0, 1, 9), 0.0) is None
