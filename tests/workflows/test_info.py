"""``stationday info``: what it says of an archive is what went in."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from station_documents import document

from pipeline.archive.grid import DayGrid
from pipeline.archive.index import DayEntry, Index
from pipeline.archive.metadata import add_stationxml
from pipeline.archive.store import create_store
from pipeline.keys import Stream
from workflows.cli import main
from workflows.info import coverage_rows, summarise

FIRST = dt.date(2019, 12, 30)
SLOW, FAST = DayGrid.at_rate(1.0), DayGrid.at_rate(100.0)


def entry(stream: str, day: int, completeness: float, grid: DayGrid = FAST, slots: int = 3) -> DayEntry:
    day_of = FIRST + dt.timedelta(days=day)
    return DayEntry(Stream.parse(stream), grid, day_of, ("counts",), tuple(range(slots)), completeness)


def archive(folder: Path, *entries: DayEntry) -> str:
    url = str(folder / "archive.zarr")
    Index().updated(entries).save(create_store(url, None))
    return url


def table(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()[4:]]


def test_years_are_summed_up_and_days_without_data_count_as_missing(tmp_path: Path) -> None:
    # 30 and 31 December complete, half of 1 January, nothing on the 2nd, a quarter of the 3rd.
    days = {0: 1.0, 1: 1.0, 2: 0.5, 4: 0.25}
    [summary] = summarise(Index().updated(entry("XX.A..HH", *day) for day in days.items()).rows)
    assert (summary.first_day, summary.last_day, summary.days) == ("2019-12-30", "2020-01-03", 4)
    assert summary.completeness == pytest.approx(2.75 / 5)
    [(label, first, completeness)] = coverage_rows(
        Index().updated(entry("XX.A..HH", *day) for day in days.items()).rows
    )
    assert (label, first) == ("XX.A..HH", FIRST)
    assert completeness.tolist() == [1.0, 1.0, 0.5, 0.0, 0.25]


def test_days_that_hold_nothing_stretch_no_span() -> None:
    rows = Index().updated([entry("XX.A..HH", 5, 1.0), entry("XX.A..HH", 9, 0.0)]).rows
    [summary] = summarise(rows)
    assert (summary.first_day, summary.last_day, summary.completeness) == ("2020-01-04", "2020-01-04", 1.0)


@pytest.mark.parametrize(
    ("part", "shown"), [(1.0, "100 %"), (0.99999, "99.9 %"), (0.5, "50.0 %"), (0.00001, "<0.1 %")]
)
def test_percent_never_says_all_or_nothing_of_a_part(
    part: float, shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", archive(tmp_path, entry("XX.A..HH", 0, part))]) == 0
    assert capsys.readouterr().out.endswith(f"  {shown}\n")


def test_rates_are_apart_and_labelled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = archive(
        tmp_path,
        entry("XX.A..HH", 0, 1.0),
        entry("XX.A..HH", 0, 0.5, SLOW),
        entry("NG.B..MGZ", 0, 1.0, SLOW, 1),
    )
    assert main(["info", url]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"{url}: 3 streams, 3 station-days\nno metadata; `stationday ingest --stations")
    assert [(row[0], row[1]) for row in table(shown)] == [
        ("NG.B..MGZ", "1Hz"),
        ("XX.A..HH", "1Hz"),
        ("XX.A..HH", "100Hz"),
    ]
    assert [row[0] for row in coverage_rows(Index.load(create_store(url, None)).rows)] == [
        "NG.B..MGZ",
        "XX.A..HH 1Hz",
        "XX.A..HH 100Hz",
    ]


@pytest.mark.parametrize("count", [1, 300])
def test_the_table_fits_a_terminal(count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"XX.STA{number:02d}.{number % 100:02d}.HH" for number in range(count)]
    url = archive(tmp_path, *(entry(name, day, 0.123) for name in names for day in (0, 7000)))
    assert main(["info", url]) == 0
    lines = capsys.readouterr().out.splitlines()[3:]
    assert [line.split()[0] for line in lines[1:]] == sorted(names)
    assert len({len(line) for line in lines}) == 1, "columns stand below each other"
    assert max(map(len, lines)) <= 80


def test_json_is_all_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = archive(tmp_path, entry("XX.A..HH", 0, 0.5, slots=1), entry("XX.A..HH", 2, 1.0))
    assert main(["info", url, "--json", "--plot", str(tmp_path / "chart.svg")]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "archive": url,
        "metadata": {"stations": 0, "channel_epochs": 0},
        "streams": [
            {
                "stream": "XX.A..HH",
                "rate": "100Hz",
                "components": ["Z", "N", "E"],
                "first_day": "2019-12-30",
                "last_day": "2020-01-01",
                "days": 2,
                "completeness": 0.5,
            }
        ],
    }
    assert (tmp_path / "chart.svg").is_file()


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_plots_what_the_name_says(ending: str, magic: bytes, tmp_path: Path) -> None:
    chart = tmp_path / "new folder" / f"chart.{ending}"
    assert main(["info", archive(tmp_path, entry("XX.A..HH", 0, 0.5)), "--plot", str(chart)]) == 0
    assert chart.read_bytes().startswith(magic)


def test_a_wrong_plot_is_all_there_is_to_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = archive(tmp_path, entry("XX.A..HH", 0, 0.5))
    assert main(["info", url, "--plot", "chart.jpg"]) == 2
    assert capsys.readouterr() == ("", "stationday: figure 'chart.jpg' should end in .png, .svg or .pdf\n")
    (tmp_path / "file").touch()
    assert main(["info", url, "--plot", str(tmp_path / "file" / "chart.png")]) == 1
    assert capsys.readouterr() == ("", f"stationday: {tmp_path}/file/chart.png: Not a directory\n")


def test_an_empty_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = archive(tmp_path)
    assert main(["info", url, "--plot", str(tmp_path / "chart.png")]) == 0
    assert capsys.readouterr().out.startswith(f"{url}: 0 streams; `stationday ingest` fills it\n")


def test_a_folder_that_is_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(tmp_path)]) == 2
    assert "there is no archive here; `stationday ingest` makes one" in capsys.readouterr().err


def test_completeness_is_what_the_samples_say(
    data_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import obspy

    source = data_folder / "continuous" / "long-period-days"
    url = str(tmp_path / "real.zarr")
    assert main(["ingest", str(source), "--archive", url, "--cluster", "serial", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["info", url, "--json"]) == 0
    told = {each["stream"]: each for each in json.loads(capsys.readouterr().out)["streams"]}
    for path in source.glob("*.ms"):
        traces = obspy.read(path)
        one = told[traces[0].id[:-1]]
        days = {np.datetime64(trace.stats.starttime.datetime, "D") for trace in traces}
        days |= {np.datetime64(trace.stats.endtime.datetime, "D") for trace in traces}
        present = sum(len(trace) for trace in traces) / (86_400 * len(days))
        assert (one["rate"], one["days"]) == ("1Hz", len(days))
        assert one["completeness"] == pytest.approx(present, abs=2e-5)


def test_it_says_of_what_there_are_metadata(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = archive(tmp_path, entry("XX.AAA..HH", 0, 1.0))
    epochs = [("HHZ", "2019-01-01", "2020-01-01", 0), ("HHZ", "2020-01-01", "", 0)]
    add_stationxml(create_store(url, None), [document(*epochs)])
    assert main(["info", url]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "metadata of 1 station, 2 channel epochs"
    assert main(["info", url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"] == {"stations": 1, "channel_epochs": 2}
