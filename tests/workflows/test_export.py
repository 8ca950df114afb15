"""``stationday export``: what comes out is what went in, and nothing else is touched."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from archives import make_archive
from miniseed_files import records

from workflows.cli import main

NS = 1_000_000_000
DAY0 = 1_577_836_800 * NS  # 2020-01-01
DAY = 86_400 * NS


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two stations at 1 Hz, from noon to noon over three days; one of them also at 2 Hz for a minute."""
    folder = tmp_path_factory.mktemp("export")
    numbers = np.arange(2 * 86_400, dtype=np.int32)
    source = folder / "source"
    source.mkdir()
    for station in ("AAA", "BBB"):
        data = records(numbers, DAY0 + DAY // 2, 1.0, channel=f"XX.{station}..LHZ")
        (source / f"{station}.mseed").write_bytes(data)
    other = records(np.arange(120, dtype=np.int32), DAY0 + 3600 * NS, 2.0, channel="XX.AAA..LHZ")
    (source / "other.mseed").write_bytes(other)
    make_archive(str(folder / "archive.zarr"), source)
    return str(folder / "archive.zarr")


def contents(*paths: Path) -> list[tuple[str, int, float, list[int]]]:
    """What obspy reads, pieces that touch joined."""
    import obspy

    stream = obspy.Stream()
    for path in paths:
        stream += obspy.read(io.BytesIO(path.read_bytes()))
    stream.merge(-1).sort(["station", "sampling_rate", "starttime"])
    return [(t.id, t.stats.starttime.ns, t.stats.sampling_rate, t.data.tolist()) for t in stream]


@pytest.mark.parametrize("version", ["2", "3"])
def test_one_file_holds_all(version: str, three_days: str, tmp_path: Path) -> None:
    from pymseed import MS3Record

    out = tmp_path / "all.mseed"
    assert main(["export", three_days, str(out), "--version", version]) == 0
    pieces = []
    with MS3Record.from_file(str(out), unpack_data=True) as opened:
        for record in opened:
            assert record.formatversion == int(version)
            pieces.append((record.sourceid, record.samprate, record.starttime, np.array(record.datasamples)))
    for station in "AAA", "BBB":
        mine = sorted(p[2:] for p in pieces if station in p[0] and p[1] == 1.0)
        assert mine[0][0] == DAY0 + DAY // 2
        assert np.array_equal(np.concatenate([samples for _, samples in mine]), np.arange(2 * 86_400))
    slow = [p for p in pieces if p[1] == 2.0]
    assert np.array_equal(np.concatenate([p[3] for p in slow]), np.arange(120))


def test_an_sds_tree_has_a_file_a_day_with_all_rates(three_days: str, tmp_path: Path) -> None:
    assert main(["export", three_days, str(tmp_path / "sds"), "--stream", "XX.AAA.*"]) == 0
    files = sorted(path.relative_to(tmp_path).as_posix() for path in (tmp_path / "sds").rglob("*.*.*.*"))
    folder = "sds/2020/XX/AAA/LHZ.D"
    assert files == [f"{folder}/XX.AAA..LHZ.D.2020.{day:03d}" for day in (1, 2, 3)]
    first = contents(tmp_path / files[0])
    assert [(piece[1], piece[2], len(piece[3])) for piece in first] == [
        (DAY0 + DAY // 2, 1.0, 43_200),
        (DAY0 + 3600 * NS, 2.0, 120),
    ]
    [middle] = contents(tmp_path / files[1])
    assert middle[1:] == (DAY0 + DAY, 1.0, list(range(43_200, 129_600)))


def test_start_and_end_are_included(three_days: str, tmp_path: Path) -> None:
    days = ["--start", "2020-01-02", "--end", "2020-01-03", "--stream", "XX.BBB..LH"]
    assert main(["export", three_days, str(tmp_path / "two.mseed"), *days]) == 0
    [piece] = contents(tmp_path / "two.mseed")
    assert piece[1:] == (DAY0 + DAY, 1.0, list(range(43_200, 2 * 86_400)))


def test_real_files_come_back_as_obspy_reads_them(data_folder: Path, tmp_path: Path) -> None:
    source = data_folder / "continuous" / "turkey-40min"
    make_archive(str(tmp_path / "a.zarr"), source)
    assert main(["export", str(tmp_path / "a.zarr"), str(tmp_path / "out.mseed")]) == 0
    assert contents(tmp_path / "out.mseed") == contents(*source.glob("*.mseed"))


def test_json_is_all_there_is(three_days: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "x.mseed"
    assert main(["export", three_days, str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    counts = {"files": 1, "station_days": 7, "bytes": out.stat().st_size}
    assert said == {"out": str(out), "format": "mseed", **counts, "refused": []}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--stream", "XX.AAB..LH"],
            "none of 2 streams matches 'XX.AAB..LH'; the nearest: XX.AAA..LH, XX.BBB",
        ),
        (["--stream", "xx.*"], "none of 2 streams matches 'xx.*'"),
        (
            ["--start", "2021-01-01"],
            "nothing of '*' from 2021-01-01 to the last; its samples lie between 2020-01-01",
        ),
        (["--end", "2019-12-31"], "from the first day to 2019-12-31; its samples lie between"),
    ],
)
@pytest.mark.parametrize("out", ["sds", "x.mseed"])
def test_nothing_to_export_is_a_wrong_call(
    options: list[str],
    said: str,
    out: str,
    three_days: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["export", three_days, str(tmp_path / out), *options]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("inside", ["", "/", "/sds", "/x.mseed", "/../archive.zarr/x"])
def test_never_writes_into_the_archive(
    inside: str, three_days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(Path(three_days).rglob("*"))
    assert main(["export", three_days, three_days + inside, "--overwrite"]) == 2
    assert "lies in the archive itself" in capsys.readouterr().err
    assert sorted(Path(three_days).rglob("*")) == before


@pytest.mark.parametrize(
    ("out", "file"), [("x.mseed", "x.mseed"), ("s", "s/2020/XX/BBB/LHZ.D/XX.BBB..LHZ.D.2020.002")]
)
def test_replaces_files_only_when_told(
    out: str, file: str, three_days: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / file
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text("the only copy of something")
    call = ["export", three_days, str(tmp_path / out), "--stream", "XX.BBB*", "--start", "2020-01-02"]
    assert main(call) == 2
    assert "--overwrite replaces it" in capsys.readouterr().err
    assert there.read_text() == "the only copy of something"
    assert main([*call, "--overwrite"]) == 0
    assert contents(there)[0][1] == DAY0 + DAY


@pytest.mark.parametrize(
    "end", [OSError(28, "No space left on device"), SystemExit(143), KeyboardInterrupt()]
)
def test_what_ends_it_early_leaves_nothing_half_written(
    end: BaseException, three_days: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workflows import exporting

    def run_out(*args: object) -> object:
        yield next(real(*args))
        raise end

    real = exporting.FORMS["mseed"].items
    monkeypatch.setitem(exporting.FORMS, "mseed", replace(exporting.FORMS["mseed"], items=run_out))
    call = ["export", three_days, str(tmp_path / "x.mseed")]
    if isinstance(end, SystemExit):
        with pytest.raises(SystemExit):
            main(call)
    else:
        assert main(call) == (1 if isinstance(end, OSError) else 130)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(
    three_days: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from workflows import exporting

    def full(*_args: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(exporting.FORMS, "mseed", replace(exporting.FORMS["mseed"], items=full))
    assert main(["export", three_days, str(tmp_path / "x.mseed")]) == 1
    assert capsys.readouterr() == ("", f"stationday: {tmp_path}/x.mseed: No space left on device\n")


def test_a_signal_leaves_nothing_half_written(three_days: str, tmp_path: Path) -> None:
    """A real one, to a process of its own that has written half of its file."""
    program = (
        "import sys, time\n"
        "from dataclasses import replace\n"
        "from workflows import cli, exporting\n"
        "form = exporting.FORMS['mseed']\n"
        "def slowly(*args):\n"
        "    yield next(form.items(*args))\n"
        "    print('under way', flush=True)\n"
        "    time.sleep(60)\n"
        "exporting.FORMS['mseed'] = replace(form, items=slowly)\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    call = [sys.executable, "-c", program, "export", three_days, str(tmp_path / "x.mseed"), "--quiet"]
    with subprocess.Popen(call, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"under way\n"
        assert list(tmp_path.iterdir()) == [tmp_path / "x.mseed.partial"]
        process.terminate()
        assert process.wait(30) == 143
    assert list(tmp_path.iterdir()) == []


def test_writes_an_sds_tree_to_a_url_but_no_single_file(
    three_days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import fsspec

    assert main(["export", three_days, "memory://exported/sds", "--stream", "XX.BBB*"]) == 0
    assert len(fsspec.filesystem("memory").find("/exported/sds")) == 3
    assert main(["export", three_days, "memory://exported/x.mseed"]) == 2
    assert "--format sds writes to a URL" in capsys.readouterr().err


def test_sac_has_a_file_for_each_run_and_what_it_can_not_hold_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = records(np.arange(500, dtype=np.int32), DAY0, 100.0, channel="XX.AAA..HHZ")
    bad = [
        records(np.arange(9, dtype=np.int32) + (1 << 24), DAY0 + n * 60 * NS, 100.0, channel="XX.AAA..HHN")
        for n in range(2)
    ]
    (tmp_path / "a.mseed").write_bytes(good + b"".join(bad))
    archive = str(tmp_path / "a.zarr")
    make_archive(archive, tmp_path / "a.mseed")
    assert main(["export", archive, str(tmp_path / "sac"), "--format", "sac", "--quiet"]) == 1
    out, err = capsys.readouterr()
    assert out == f"1 station-day in 1 file, 0.0 MB: {tmp_path}/sac\n"
    assert err == (
        "lost: XX.AAA..HHN: 2 runs of 18 samples not written, from 2020-01-01T00:00:00.000000Z on: "
        "SAC's single precision can't hold counts beyond 16777216 (2^24); --format netcdf does\n"
    )
    [file] = (tmp_path / "sac").rglob("*.sac")
    [piece] = contents(file)
    assert piece == ("XX.AAA..HHZ", DAY0, 100.0, list(range(500)))
    call = ["export", archive, str(tmp_path / "sac"), "--format", "sac", "--overwrite", "--json"]
    assert main(call) == 1
    [refused] = json.loads(capsys.readouterr().out)["refused"]
    assert (refused["channel"], refused["runs"], refused["samples"]) == ("XX.AAA..HHN", 2, 18)
    assert main(["export", archive, str(tmp_path / "nc"), "--format", "netcdf"]) == 0


def test_runs_that_begin_together_have_names_of_their_own(tmp_path: Path) -> None:
    data = records(np.arange(50, dtype=np.int32), DAY0, 1.0, channel="XX.AAA..LHZ")
    data += records(np.arange(70, dtype=np.int32), DAY0, 2.0, channel="XX.AAA..LHZ")
    (tmp_path / "a.mseed").write_bytes(data)
    make_archive(str(tmp_path / "a.zarr"), tmp_path / "a.mseed")
    assert main(["export", str(tmp_path / "a.zarr"), str(tmp_path / "sac"), "--format", "sac"]) == 0
    names = sorted(path.name for path in (tmp_path / "sac").rglob("*.sac"))
    stem = "XX.AAA..LHZ.2020.001.000000.000000"
    assert names == [f"{stem}-2.sac", f"{stem}.sac"]


def test_netcdf_has_a_file_a_block_below_5_hz(three_days: str, tmp_path: Path) -> None:
    import xarray as xr

    call = ["export", three_days, str(tmp_path / "nc"), "--format", "netcdf", "--stream", "XX.BBB*"]
    assert main(call) == 0
    [file] = (tmp_path / "nc").rglob("*.nc")
    assert file.name == "XX.BBB..LH.1Hz.2020-01-01_2020-01-03.nc"
    with xr.open_dataset(file) as dataset:  # without our code: by the name of the file alone
        values = dataset["counts"].sel(component="Z").dropna("time")
        assert np.array_equal(values, np.arange(2 * 86_400))
        assert values["time"].values[0] == np.datetime64("2020-01-01T12:00:00")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["x.nc"], "x.nc: netcdf is written as many files; name a folder for them, and give --format netcdf"),
        (["x.SAC", "--format", "sac"], "x.SAC: sac is written as many files"),
        (["sac", "--format", "sac", "--version", "3"], "--version 3: sac has version 6 or 7"),
        (["out", "--version", "7"], "--version 7: sds has version 2 or 3"),
        (["nc", "--format", "netcdf", "--version", "4"], "--version 4: netcdf has no versions"),
    ],
)
def test_a_form_that_does_not_fit_is_a_wrong_call(
    options: list[str],
    said: str,
    three_days: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", three_days, *options]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"stationday: {err.removeprefix('stationday: ')}")
    assert said in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["sac", "netcdf"])
def test_all_forms_go_to_a_url_and_replace_only_when_told(
    form: str, three_days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["export", three_days, f"memory://exported-{form}/x", "--format", form, "--stream", "XX.BBB*"]
    assert main(call) == 0
    assert main(call) == 2
    assert "there is such a file already; --overwrite replaces it" in capsys.readouterr().err
    assert main([*call, "--overwrite"]) == 0


def test_it_says_how_far_it_is(three_days: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", three_days, str(tmp_path / "sds")]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("export: 7 of 7 station-days, ")
    assert out.startswith("7 station-days in 6 files, ")
    assert main(["export", three_days, str(tmp_path / "sds"), "--overwrite", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
