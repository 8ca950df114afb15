"""``stationday noise`` on real records: a day with its full response, and a quantum gravimeter on Etna."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import obspy
import pytest
import xarray as xr
from scipy.signal import welch

from workflows.cli import main
from workflows.noise import NoiseProduct, find_product

OBSPY = Path(obspy.__file__).parent / "signal" / "tests" / "data"
QUIETLY = ["--cluster", "serial", "--quiet"]


def measured(files: Path, metadata: Path, folder: Path, *, config: str = "", status: int = 0) -> NoiseProduct:
    archive = str(folder / "a.zarr")
    assert main(["ingest", str(files), "--archive", archive, "--stations", str(metadata), *QUIETLY]) == 0
    options = []
    if config:
        (folder / "noise.toml").write_text(config)
        options = ["--config", str(folder / "noise.toml")]
    assert main(["noise", archive, *QUIETLY, *options]) == status
    return find_product(archive)


@pytest.mark.skipif(not OBSPY.is_dir(), reason="obspy came without the data of its tests")
def test_a_day_with_its_full_response(tmp_path: Path) -> None:
    """LHZ of IU.ANMO; its record begins in the middle of a step, and our windows at whole ones."""
    (tmp_path / "seed").mkdir()
    shutil.copy(OBSPY / "IUANMO.seed", tmp_path / "seed" / "day.seed")
    product = measured(tmp_path / "seed", OBSPY / "IUANMO.xml", tmp_path)
    (stream,) = product.streams()
    found = xr.open_zarr(
        f"{product.url}/noise.zarr", group=f"{stream.group}/{stream.blocks[0][0].year}", consolidated=False
    ).load()
    with np.load(OBSPY / "IUANMO_ppsd_fullresponse.npz", allow_pickle=True) as expected:
        theirs = np.median(expected["_binned_psds"], axis=0)
        np.testing.assert_allclose(found.period, expected["_period_binning"][2], rtol=1e-12)
    ours = found.level_db[0].dropna("time", how="all")
    assert len(ours.time) >= 46
    # Other windows of the same day: the same medians within what its hours differ.
    known = found.period.values < 300
    assert np.abs(ours.median("time").values - theirs)[known].max() < 0.6
    months = product.table("quality_months").to_pylist()
    (vertical,) = [row for row in months if row["windows"]]
    assert (vertical["dead_channel_gsn"], vertical["num_spikes"] < 10) == (False, True)
    assert vertical["pct_above_nhnm"] < 5


def test_half_days_of_a_quantum_gravimeter(
    data_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    etna = data_folder / "gravity" / "etna-aqg"
    config = "[gravity_windows]\nwindow_s = 3600.0\n"
    product = measured(etna, etna / "stations.xml", tmp_path, config=config, status=1)
    error = capsys.readouterr().err
    assert "2020-07-31 on: no metadata epoch holds, and no unit is given" in error
    assert "NG.AQG..MDO: no pressure: gravity keeps what air does to it" in error
    (stream,) = product.streams()
    group = xr.open_zarr(f"{product.url}/noise.zarr", group=f"{stream.group}/2020", consolidated=False).load()
    levels = group.level_db[0].dropna("time", how="all")
    assert len(levels.time) >= 3
    # By Welch's method from the file; the mean of the dB of 25 sub-windows lies 0.2 dB lower.
    densities = []
    for trace in obspy.read(etna / "NG.AQG..MGZ.D.2020.252"):
        if trace.stats.npts > 10_000:
            frequency, psd = welch(trace.data * 1e-9, trace.stats.sampling_rate, nperseg=2048)
            densities.append(psd[(frequency > 1 / 14) & (frequency < 1 / 8)].mean())
    white = levels.sel(period=slice(9, 12)).median("time").mean()
    assert float(white) == pytest.approx(10 * np.log10(np.mean(densities)) - 0.2, abs=0.7)
    factor = group.tide_factor.dropna("day").values
    assert np.abs(factor - 0.97).min() < 0.06
