"""Peterson's models against obspy's table of them, and against the synthetic archive's own."""

from __future__ import annotations

import numpy as np
import pytest
from obspy.signal.spectral_estimation import get_nhnm, get_nlnm

from pipeline.noise.noise_models import nhnm_db, nlnm_db
from pipeline.synthetic.ground import spectra

MODELS = [(nlnm_db, get_nlnm, spectra.nlnm_db), (nhnm_db, get_nhnm, spectra.nhnm_db)]


@pytest.mark.parametrize(("ours", "theirs", "_"), MODELS)
def test_the_corners_are_those_of_obspy(ours, theirs, _):
    period, level = theirs()
    # obspy gives corners to a tenth of a dB or so, and its last one beyond the end of the model.
    known = (period >= 0.1) & (period <= 1e5)
    np.testing.assert_allclose(ours(period[known]), level[known], atol=0.3)


@pytest.mark.parametrize(("ours", "_", "designed"), MODELS)
def test_synthetic_archives_know_the_same_models(ours, _, designed):
    period = np.geomspace(0.1, 1e5, 5000)[1:-1]
    np.testing.assert_allclose(ours(period), designed(period), atol=1e-9)


@pytest.mark.parametrize("model", [nlnm_db, nhnm_db])
def test_there_is_no_model_beyond_its_ends(model):
    assert np.isnan(model([0.0999, 1.001e5, 0.0, -1.0, np.nan])).all()
    assert np.isfinite(model([0.1, 1e5])).all()


@pytest.mark.parametrize("model", [nlnm_db, nhnm_db])
def test_lines_meet(model):
    period = np.geomspace(0.1, 9e4, 200_000)
    assert np.abs(np.diff(model(period))).max() < 0.05
