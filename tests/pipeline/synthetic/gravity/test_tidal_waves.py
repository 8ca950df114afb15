"""The table of waves: published frequencies."""

from __future__ import annotations

import pytest

from pipeline.synthetic.gravity.tidal_waves import wave_table


@pytest.mark.parametrize(
    ("multipliers", "degrees_per_hour"),
    [
        pytest.param((2, 0, 0, 0, 0, 0), 28.98410424, id="M2"),
        pytest.param((2, 2, -2, 0, 0, 0), 30.0, id="S2"),
        pytest.param((2, -1, 0, 1, 0, 0), 28.43972953, id="N2"),
        pytest.param((1, -1, 0, 0, 0, 0), 13.94303560, id="O1"),
        pytest.param((1, 1, 0, 0, 0, 0), 15.04106864, id="K1"),
        pytest.param((1, 1, -2, 0, 0, 0), 14.95893136, id="P1"),
        pytest.param((0, 2, 0, 0, 0, 0), 1.09803304, id="Mf"),
    ],
)
def test_frequencies(multipliers, degrees_per_hour):
    table = wave_table()
    (wave,) = ((table.multipliers == multipliers).all(axis=1) & (table.degree == 2)).nonzero()[0]
    assert table.frequency_cpd[wave] * 15 == pytest.approx(degrees_per_hour, abs=2e-7)
