"""``stationday map`` and ``plot-noise`` on a network that is measured once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from noise_archives import Channel, flat, ingest, write_days

from workflows.cli import main

RATE_HZ = 1 / 60
DAYS = 20
PLACES = {
    "A1": (30.0, 118.0),
    "A2": (32.0, 119.5),
    "B1": (35.0, 100.0),
    "B2": (37.0, 97.0),
    "B3": (33.0, 95.0),
    "B4": (33.0, 95.0),  # at the place of B3
}
AREAS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[west, 28], [east, 28], [east, 40], [west, 40], [west, 28]]],
            },
        }
        for name, west, east in (("east", 110, 122), ("west", 90, 105))
    ],
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six gravimeters without a tide: two near the coast are 10 dB louder, B1 in its last ten days."""
    folder = tmp_path_factory.mktemp("map")
    for number, name in enumerate(PLACES):
        noise = np.random.default_rng(number).normal(0, 100.0, round(DAYS * 86_400 * RATE_HZ))
        if name.startswith("A"):
            noise *= np.sqrt(10)
        if name == "B1":
            noise[noise.size // 2 :] *= 2
        write_days(folder / "sds", name, "UGZ", noise, RATE_HZ)
    channels = [
        Channel(station=name, code="UGZ", latitude=lat, longitude=lon, response=flat(1, "NM/S**2"))
        for name, (lat, lon) in PLACES.items()
    ]
    # C1 was closed after ten days, and stood where it stood then.
    noise = np.random.default_rng(99).normal(0, 100.0, 10 * 1440)
    write_days(folder / "sds", "C1", "UGZ", noise, RATE_HZ)
    closed = {"end": "2021-03-11T00:00:00", "response": flat(1, "NM/S**2")}
    channels.append(Channel(station="C1", code="UGZ", latitude=45.0, longitude=108.0, **closed))
    ingest(folder / "sds", folder / "a.zarr", *channels)
    config = folder / "noise.toml"
    config.write_text(
        "[[gravimeters]]\nstream = '*'\ntide = 'none'\nloading = "
        "[{ name = 'M2', amplitude_nm_s2 = 0.0, lag_deg = 0.0 }]\n"
    )
    call = ["noise", str(folder / "a.zarr"), "--config", str(config), "--cluster", "serial", "--quiet"]
    assert main(call) == 0
    return folder / "a.zarr"


def run(archive: Path, out: Path, *options: str, capsys: pytest.CaptureFixture[str]) -> dict:
    capsys.readouterr()
    assert main(["map", str(archive), "--out", str(out), "--step", "1", "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_map_in_all_its_forms(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    areas = tmp_path / "areas.geojson"
    areas.write_text(json.dumps(AREAS))
    report = run(archive, tmp_path / "out", "--polygons", str(areas), capsys=capsys)
    assert (report["stations"], report["left_out"]) == (7, [])
    assert any("XX.B3" in remark and "XX.B4" in remark for remark in report["remarks"])
    contrasts = {(row["first"], row["second"]): row for row in report["contrasts"]}
    east = contrasts["east", "west"]
    assert (east["first_stations"], east["second_stations"]) == (2, 4)
    assert east["plain_difference"] == pytest.approx(1.0, abs=0.25)  # ten times the power is 1 in SNM
    names = {Path(path).name for path in report["files"]}
    assert names == {
        *("contrasts.json", "map.nc", "map.zarr", "stations.geojson", "contours.geojson", "bands.geojson"),
        *("map.png", "map.svg", "map.html"),
    }
    assert all(Path(path).exists() for path in report["files"])
    for made in (
        xr.open_dataset(tmp_path / "out" / "map.nc", engine="h5netcdf"),
        xr.open_zarr(tmp_path / "out" / "map.zarr", consolidated=False),
    ):
        made.load()
        near = made.level.sel(lat=32.0, lon=119.0, method="nearest").item()
        far = made.level.sel(lat=35.0, lon=99.0, method="nearest").item()
        assert near - far > 0.3
        made.close()
    stations = json.loads((tmp_path / "out" / "stations.geojson").read_text())
    assert {each["properties"]["name"] for each in stations["features"]} == {
        *(f"XX.{name}" for name in PLACES),
        "XX.C1",
    }
    page = (tmp_path / "out" / "map.html").read_text()
    assert "XX.A1" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_the_same_bytes_again(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        run(archive, tmp_path / name, "--level", "200-600s", capsys=capsys)
    for name in ("map.nc", "map.png", "map.html", "contours.geojson"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_difference_of_periods(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spans = ["--start", "2021-03-11", "--end", "2021-03-20", "--minus", "2021-03-01:2021-03-10"]
    run(archive, tmp_path / "out", *spans, capsys=capsys)
    stations = json.loads((tmp_path / "out" / "stations.geojson").read_text())
    change = {each["properties"]["name"]: each["properties"].get("value") for each in stations["features"]}
    assert "XX.C1" not in change  # it has no day in the later period
    assert change["XX.B1"] == pytest.approx(np.log10(4), abs=0.1)
    assert all(abs(change[f"XX.{name}"]) < 0.1 for name in PLACES if name != "B1")


def test_a_map_of_rises(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--rise-before", "2021-03-18", "--weeks", "1"]
    with_rise = ["map", str(archive), "--out", str(tmp_path / "out"), "--step", "1", *options]
    capsys.readouterr()
    # Twenty days hold no other date to compare with.
    assert main(with_rise) == 2
    assert "no other date" in capsys.readouterr().err


def test_too_few_stations_for_a_map(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run(archive, tmp_path / "out", "--stream", "XX.A*", capsys=capsys)
    assert report["stations"] == 2
    assert any("three" in remark or "3" in remark for remark in report["remarks"])
    assert {Path(path).name for path in report["files"]} == {"contrasts.json", "map.html"}


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (["--level", "1-2s"], "is none of snm, ssnm, tnm, 200-600s"),
        (["--region", "1,2,3"], "should be west,south,east,north in numbers"),
        (["--region", "10,50,20,40"], "south"),
        (["--minus", "2021-03-01"], "should be two days"),
        (["--minus", "2021-03-01:2021-03-02", "--rise-before", "2021-03-10"], "only one of them"),
        (["--polygons", "none.geojson"], "No such file"),
        (["--start", "2022-01-01", "--end", "2022-01-02"], "no wanted stream has snm"),
    ],
)
def test_wrong_calls_are_one_line(
    options: list[str], wrong: str, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["map", str(archive), "--out", str(tmp_path / "out"), *options]
    capsys.readouterr()
    try:
        status = main(call)
    except SystemExit as left:
        status = left.code
    error = capsys.readouterr().err
    assert status == 2
    assert wrong in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ppsd", ["--stream", "XX.A1..UGZ", "--hours", "22-4", "--season", "MAM"]),
        ("spectrogram", ["--stream", "XX.B1..UGZ", "--relative", "--mark", "2021-03-11=louder"]),
        ("levels", ["--span", "day", "--stream", "XX.B*"]),
        ("magnitudes", []),
        ("spectra", []),
    ],
)
def test_every_picture(kind: str, options: list[str], archive: Path, tmp_path: Path) -> None:
    figure = tmp_path / f"{kind}.png"
    assert main(["plot-noise", str(archive), str(figure), "--kind", kind, *options]) == 0
    assert figure.stat().st_size > 20_000


def test_curves_as_numbers(archive: Path, tmp_path: Path) -> None:
    table = tmp_path / "ppsd.csv"
    options = ["--stream", "XX.A1..UGZ", "--weeks", "10", "--weekdays", "1,2"]
    assert main(["plot-noise", str(archive), str(table), *options]) == 0
    head, *rows = [line.split(",") for line in table.read_text().splitlines()]
    assert head[:4] == ["component", "period_s", "windows", "p05_db"]
    # Two windows a day, on Monday and Tuesday of one week.
    assert {row[2] for row in rows} == {"4"}
    median = np.median([float(row[4]) for row in rows if 200 < float(row[1]) < 600])
    # 316 nm/s² at one sample a minute, in dB of (m/s²)²/Hz.
    assert median == pytest.approx(10 * np.log10(2 * 60 * 10 * 100.0**2) - 180, abs=2)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (["--kind", "ppsd"], "this picture is of one stream"),
        (["--kind", "ppsd", "--stream", "YY.*"], "fits none of"),
        (["--kind", "levels", "--band", "1-2s"], "bands are 200-600s"),
        (["--kind", "ppsd", "--stream", "XX.A1*", "--start", "2022-01-01"], "has no day from 2022-01-01"),
    ],
)
def test_wrong_pictures_are_one_line(
    options: list[str], wrong: str, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["plot-noise", str(archive), str(tmp_path / "x.png"), *options]) == 2
    error = capsys.readouterr().err
    assert wrong in error
    assert error.count("\n") == 1
