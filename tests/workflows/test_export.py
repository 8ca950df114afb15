"""``stationday export``: what comes out is what went in, and nothing else is touched."""

import io
import json
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
    assert said == {"out": str(out), "format": "mseed", "channel_days": 7, "bytes": out.stat().st_size}


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


def test_a_full_disk_leaves_nothing_half_written(
    three_days: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from workflows import export

    def run_out(*_args: object, **_options: object) -> object:
        yield next(real)
        raise OSError(28, "No space left on device")

    real = export.export_files(export.open_archive(three_days), export.open_archive(three_days).index.rows)
    monkeypatch.setattr(export, "export_files", run_out)
    assert main(["export", three_days, str(tmp_path / "x.mseed")]) == 1
    assert capsys.readouterr() == ("", f"stationday: {tmp_path}/x.mseed: No space left on device\n")
    assert list(tmp_path.iterdir()) == []


def test_writes_an_sds_tree_to_a_url_but_no_single_file(
    three_days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import fsspec

    assert main(["export", three_days, "memory://exported/sds", "--stream", "XX.BBB*"]) == 0
    assert len(fsspec.filesystem("memory").find("/exported/sds")) == 3
    assert main(["export", three_days, "memory://exported/x.mseed"]) == 2
    assert "--format sds writes to a URL" in capsys.readouterr().err
