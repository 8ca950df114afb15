"""Every kernel takes a read-only input, leaves it as it is, and gives back the precision it was given."""

import pickle

import numpy as np
import pytest

from pipeline.signal import (
    correlate,
    detrend,
    filters,
    gaps,
    resampling,
    response,
    rotate,
    tapers,
    triggers,
    windows,
)

SECTIONS = filters.design("bandpass", [1.0, 20.0], 100.0)
MASK = np.arange(600) % 50 < 5
TEMPLATE = np.sin(np.arange(50.0))

KERNELS = {
    "causal": lambda x: filters.causal(SECTIONS, x)[0],
    "zero_phase": lambda x: filters.zero_phase(SECTIONS, x),
    "lowpass": lambda x: filters.lowpass(x, 5.0, 100.0),
    "highpass": lambda x: filters.highpass(x, 5.0, 100.0),
    "bandpass": lambda x: filters.bandpass(x, 1.0, 5.0, 100.0, both_ways=True),
    "bandstop": lambda x: filters.bandstop(x, 1.0, 5.0, 100.0),
    "resample": lambda x: resampling.resample(x, 100.0, 40.0)[0],
    "constant": lambda x: detrend.constant(x, missing=MASK),
    "linear": lambda x: detrend.linear(x, missing=MASK),
    "taper": lambda x: tapers.taper(x, 10, missing=MASK),
    "fill": lambda x: gaps.fill(x, MASK),
    "apply_response": lambda x: response.apply_response(x, 100.0, response.WOOD_ANDERSON),
    "remove_response": lambda x: response.remove_response(
        x, 100.0, response.WOOD_ANDERSON, water_level_db=60.0
    ),
    "integrate": lambda x: response.integrate(x, 100.0),
    "differentiate": lambda x: response.differentiate(x, 100.0),
    "correlation": lambda x: correlate.normalised_correlation(x, TEMPLATE),
    "classic": lambda x: triggers.classic_sta_lta(x, 5, 50),
    "recursive": lambda x: triggers.recursive_sta_lta(x, 5, 50),
    "north_east": lambda x: rotate.to_north_east(x[:2], (10.0, 100.0)),
    "zne": lambda x: rotate.to_vertical_north_east(x, (0, 10, 100), (-90, 0, 0)),
    "radial": lambda x: rotate.to_radial_transverse(x[:2], 30.0),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("name", KERNELS)
def test_kernel_is_pure(name, dtype):
    data = (1000 * np.random.default_rng(0).standard_normal((3, 600))).astype(dtype)
    before = data.copy()
    data.flags.writeable = False
    out = KERNELS[name](data)
    np.testing.assert_array_equal(data, before)
    assert out.dtype == (np.float32 if dtype == np.float32 else np.float64)
    assert np.isfinite(out).all()
    assert out.any()
    # float32 is computed in float64, then rounded once
    again = KERNELS[name](before.astype(np.float64))
    np.testing.assert_allclose(out, again, rtol=2e-7 if dtype == np.float32 else 1e-14)
    # what comes back is the caller's own, even where nothing had to be done
    assert not np.shares_memory(out, data)


def test_what_travels_to_workers_pickles():
    for value in (
        response.WOOD_ANDERSON,
        resampling.design_resampler(100.0, 40.0),
        windows.WindowGrid(length=3, step=2),
    ):
        assert type(pickle.loads(pickle.dumps(value))) is type(value)
