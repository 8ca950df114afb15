"""``stationday download`` from a data centre that misbehaves: all that it has, once, never by halves."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crashing import Crash, crashing
from fdsn_server import Asked, Centre, FakeClock, Fault, cut, serve, status, truncated, wholly

from pipeline.archive.grid import DAY_NS
from pipeline.archive.packing import sds_path
from pipeline.archive.readers.miniseed_headers import parse_headers
from pipeline.archive.reading import open_archive
from pipeline.errors import ConfigError
from pipeline.fdsn.client import Patience
from pipeline.fdsn.credentials import Credentials
from pipeline.fdsn.selection import Selection
from pipeline.keys import Channel
from pipeline.objects import LocalObjects
from workflows.cli import main
from workflows.download import DownloadReport, Manners, download, preview
from workflows.download import command as download_module
from workflows.ledger import Ledger

FIRST = 18262  # 2020-01-01
DAYS = 40
NAMES = [f"CI.{station}..LH{component}" for station in ("CCC", "PAS") for component in "ZNE"]
JANUARY = (dt.date(2020, 1, 1), dt.date(2020, 1, 31))


@pytest.fixture
def centre() -> Iterator[Centre]:
    centre = Centre()
    for name in NAMES:
        centre.add(name, FIRST, DAYS, rate_hz=0.01)
    with serve(centre):
        yield centre


def fetch(
    centre: Centre,
    out: Path | str,
    *,
    days: tuple[dt.date, dt.date] = JANUARY,
    clock: FakeClock | None = None,
    connections: int = 2,
    patience: Patience | None = None,
    codes: dict[str, str] | None = None,
    **options: Any,
) -> DownloadReport:
    return download(
        centre.service,
        Selection(**({"networks": "CI"} | (codes or {})), start=days[0], end=days[1]),
        str(out),
        manners=Manners(
            connections=connections,
            per_second=1000.0,
            clock=clock or FakeClock(),
            patience=patience or Patience(tries=3),
        ),
        **options,
    )


def files(out: Path) -> dict[str, bytes]:
    objects = LocalObjects(out / "sds")
    return {info.key: objects.read(info.key) for info in objects.list()}


def expected(centre: Centre, days: int = 31) -> dict[str, bytes]:
    """Cut what the centre has into days, without any of the code that is tested."""
    found: dict[str, bytes] = {}
    for channel, data in centre.records.items():
        for row in parse_headers(data).rows:
            day = int(row["start_ns"]) // DAY_NS
            if day < FIRST + days:
                path = sds_path(channel, dt.date(1970, 1, 1) + dt.timedelta(days=day))
                found[path] = found.get(path, b"") + data[row["offset"] : row["offset"] + row["length"]]
    return found


def test_all_of_it_and_it_can_be_ingested(centre: Centre, tmp_path: Path) -> None:
    report = fetch(centre, tmp_path / "out")
    assert report.exit_status == 0
    assert report.requests == len(centre.asked) == 1 + 1 + 2 + 2  # listing, availability, stations, blocks
    assert files(tmp_path / "out") == expected(centre)
    archive = str(tmp_path / "archive.zarr")
    sources = [str(tmp_path / "out" / "sds"), "--stations", str(tmp_path / "out" / "stations.xml")]
    assert main(["ingest", *sources, "--archive", archive, "--cluster", "serial", "--quiet"]) == 0
    opened = open_archive(archive)
    assert sorted(map(str, opened.streams)) == ["CI.CCC..LH", "CI.PAS..LH"]
    counts = opened.sel("CI.CCC..LH", "2020-01-02", "2020-01-04").counts.values
    first = round((FIRST + 1) * 864)
    assert (counts == ((np.arange(first, first + counts.shape[1]) % 4001) - 2000)).all()


def test_nothing_that_was_answered_is_asked_again(centre: Centre, tmp_path: Path) -> None:
    fetch(centre, tmp_path)
    centre.asked.clear()
    report = fetch(centre, tmp_path)
    assert (report.exit_status, report.requests, centre.asked) == (0, 0, [])
    later = FakeClock(start=FakeClock().start + dt.timedelta(days=2))
    fetch(centre, tmp_path, clock=later)
    assert [asked.path.split("/")[2] for asked in centre.asked] == ["station", "availability"]


def test_other_days_ask_for_what_is_new(centre: Centre, tmp_path: Path) -> None:
    fetch(centre, tmp_path, days=(dt.date(2020, 1, 5), dt.date(2020, 1, 9)))
    centre.asked.clear()
    fetch(centre, tmp_path, days=(dt.date(2020, 1, 3), dt.date(2020, 1, 10)))
    asked = sorted({(line[4][:10], line[5][:10]) for each in centre.of() for line in each.lines})
    assert asked == [("2020-01-03", "2020-01-04"), ("2020-01-10", "2020-01-10")]
    assert centre.count("station") == 1  # the listing; the stations have their metadata
    fetch(centre, tmp_path)
    assert sorted(files(tmp_path)) == sorted(expected(centre))


def test_days_that_the_centre_says_it_lacks_are_not_asked_for(centre: Centre, tmp_path: Path) -> None:
    for name in NAMES[:3]:
        channel = Channel.parse(name)
        rows = parse_headers(centre.records[channel]).rows
        gap = (rows["start_ns"] // DAY_NS >= FIRST + 3) & (rows["start_ns"] // DAY_NS <= FIRST + 20)
        data = centre.records[channel]
        kept = [data[row["offset"] : row["offset"] + row["length"]] for row in rows[~gap]]
        centre.records[channel] = b"".join(kept)
    report = fetch(centre, tmp_path / "a")
    assert report.offer.has_availability
    assert report.offer.without_data > 0
    asked = {line[4][:10] for each in centre.of() for line in each.lines if line[1] == "CCC"}
    assert "2020-01-10" not in asked
    assert report.exit_status == 0
    centre.has_availability = False
    other = fetch(centre, tmp_path / "b")
    assert not other.offer.has_availability
    assert files(tmp_path / "a") == files(tmp_path / "b") == expected(centre)
    outcomes = Ledger(LocalObjects(tmp_path / "b" / "download" / "ledger")).table()
    assert "no data" in outcomes["reason"].to_pylist()
    assert other.exit_status == 0


@pytest.mark.parametrize(("month", "days"), [(1, 5), (3, 3)])
def test_an_availability_that_lags_behind(centre: Centre, tmp_path: Path, month: int, days: int) -> None:
    """What it lacks of the last two weeks is asked for all the same, what it lacks of older days is not."""
    centre.known_until_day = FIRST + 3
    clock = FakeClock(start=dt.datetime(2020, month, 6, tzinfo=dt.UTC))
    fetch(centre, tmp_path, days=(dt.date(2020, 1, 1), dt.date(2020, 1, 5)), clock=clock)
    assert {line[5][:10] for asked in centre.of() for line in asked.lines} == {f"2020-01-{days:02}"}


TROUBLES: dict[str, list[Fault]] = {
    "cut": [cut(), cut(0.9), cut(0.0)],
    "status": [status(503), status(429, Retry_After="7"), status(500), status(504)],
    "body": [wholly(truncated), wholly(lambda body: b"<html>"), wholly(bytes, stated=77)],
}


@pytest.mark.parametrize("name", TROUBLES)
@pytest.mark.parametrize("connections", [1, 5])
def test_troubles_change_nothing(centre: Centre, tmp_path: Path, name: str, connections: int) -> None:
    centre.faults.extend(TROUBLES[name])
    report = fetch(centre, tmp_path, connections=connections, patience=Patience(tries=5))
    assert report.exit_status == 0
    assert not report.problems
    assert files(tmp_path) == expected(centre)


@pytest.mark.parametrize("most", [9, 1, 0.4])
def test_small_requests_change_nothing(centre: Centre, tmp_path: Path, most: float) -> None:
    centre.most_channel_days = most
    days = (dt.date(2020, 1, 1), dt.date(2020, 1, 4))
    assert fetch(centre, tmp_path, days=days).exit_status == 0
    assert files(tmp_path) == expected(centre, 4)


def test_what_is_damaged_is_lost_and_named(centre: Centre, tmp_path: Path) -> None:
    def choose(asked: Asked) -> Fault | None:
        holds = any(
            line[1:4] == ["CCC", "--", "LHN"] and line[4] <= "2020-01-03T12" <= line[5]
            for line in asked.lines
        )
        return wholly(truncated) if holds else None

    centre.always = choose
    report = fetch(centre, tmp_path, patience=Patience(tries=2))
    lost = "2020/CI/CCC/LHN.D/CI.CCC..LHN.D.2020.003"
    assert files(tmp_path) == {path: data for path, data in expected(centre).items() if path != lost}
    assert report.exit_status == 1
    assert report.problems == {"damaged: truncated record": 1}
    centre.always = None
    assert fetch(centre, tmp_path).exit_status == 1  # as the product stands
    report = fetch(centre, tmp_path, retry_failed=True)
    assert (report.exit_status, report.requests) == (0, 1)
    assert files(tmp_path) == expected(centre)


def test_no_answer_is_asked_for_by_the_next_run(centre: Centre, tmp_path: Path) -> None:
    refusing = status(503, "overloaded")
    centre.always = lambda asked: refusing if asked.lines[0][1] == "PAS" else None
    report = fetch(centre, tmp_path)
    assert report.exit_status == 1
    assert list(report.problems) == ["no answer (503): overloaded"]
    centre.always = None
    centre.asked.clear()
    assert fetch(centre, tmp_path).exit_status == 0
    assert {line[1] for asked in centre.of() for line in asked.lines} == {"PAS"}
    assert files(tmp_path) == expected(centre)


def test_a_centre_that_goes_away_is_given_up(centre: Centre, tmp_path: Path) -> None:
    for number in range(8):
        centre.add(f"CI.S{number}..LHZ", FIRST, DAYS, rate_hz=0.01)
    centre.always = lambda asked: status(502)
    report = fetch(centre, tmp_path, patience=Patience(tries=2, failures_in_a_row=3), connections=1)
    assert report.exit_status == 1
    assert centre.count() == 2 * 3
    assert report.given_up.startswith("3 requests in a row failed")
    centre.always = None
    assert fetch(centre, tmp_path).exit_status == 0
    assert files(tmp_path) == expected(centre)


def test_a_network_that_is_closed(centre: Centre, tmp_path: Path) -> None:
    centre.add("XX.A..LHZ", FIRST, DAYS, rate_hz=0.01)
    centre.add("XX.B..LHZ", FIRST, DAYS, rate_hz=0.01)
    centre.always = lambda asked: status(403, "embargo") if asked.lines[0][0] == "XX" else None
    report = fetch(centre, tmp_path, codes={"networks": "CI,XX"}, connections=1)
    assert report.exit_status == 1
    assert list(report.problems) == ["not permitted (403): embargo"]
    assert sum(asked.lines[0][0] == "XX" for asked in centre.of()) == 1
    own = {path: data for path, data in expected(centre).items() if "/CI/" in path}
    assert files(tmp_path) == own


def asked_for(centre: Centre) -> set[str]:
    """Return the files of all channel-days that were asked for."""
    found = set()
    for line in (line for asked in centre.of() for line in asked.lines):
        first, last = (dt.date.fromisoformat(time[:10]) for time in line[4:])
        days = (first + dt.timedelta(days=n) for n in range((last - first).days + 1))
        found |= {sds_path(Channel(line[0], line[1], "", line[3]), day) for day in days}
    return found


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_killed_anywhere(centre: Centre, tmp_path: Path, share: float) -> None:
    """At whichever write it dies, the next run completes it, and asks for no file that is there."""
    with crashing(tmp_path / "whole") as state:
        fetch(centre, tmp_path / "whole", connections=1)
    out = tmp_path / "out"
    with crashing(out, at=int(share * len(state.done))), pytest.raises(Crash):
        fetch(centre, out, connections=1)
    there = set(files(out))
    for lease in ("lease", "stations/lease"):  # their holder, this process, is still there
        shutil.rmtree(out / "download" / lease, ignore_errors=True)
    centre.asked.clear()
    assert fetch(centre, out, connections=1).exit_status == 0
    assert files(out) == files(tmp_path / "whole") == expected(centre)
    assert not list(out.rglob("*.partial"))
    assert not asked_for(centre) & there


def test_what_is_there_already_is_left_alone(centre: Centre, tmp_path: Path) -> None:
    path = tmp_path / "sds/2020/CI/CCC/LHZ.D/CI.CCC..LHZ.D.2020.007"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    fetch(centre, tmp_path)
    assert path.read_bytes() == b"mine"
    found = files(tmp_path)
    assert found == expected(centre) | {str(path.relative_to(tmp_path / "sds")): b"mine"}


def test_days_that_may_still_grow(centre: Centre, tmp_path: Path) -> None:
    """Asked an hour after midnight, a day lacks its end: it is asked again a day later, and then no more."""
    centre.records.clear()
    for name in NAMES:
        centre.add(name, FIRST, 9, rate_hz=0.1)
    whole = dict(centre.records)
    noon = (FIRST + 3) * DAY_NS + DAY_NS // 2
    for channel, data in whole.items():
        rows = parse_headers(data).rows
        end = int(rows["offset"][rows["start_ns"] < noon].max()) + 512
        centre.records[channel] = data[:end]
    days = (dt.date(2020, 1, 1), dt.date(2020, 1, 4))

    def at(*moment: int) -> FakeClock:
        return FakeClock(start=dt.datetime(2020, *moment, tzinfo=dt.UTC))

    fetch(centre, tmp_path, days=days, clock=at(1, 5, 1))
    centre.asked.clear()
    fetch(centre, tmp_path, days=days, clock=at(1, 5, 20))
    assert not centre.asked
    centre.records = whole
    fetch(centre, tmp_path, days=days, clock=at(1, 6, 12))
    assert {line[4][:10] for asked in centre.of() for line in asked.lines} == {"2020-01-04"}
    assert files(tmp_path) == expected(centre, 4)
    centre.asked.clear()
    fetch(centre, tmp_path, days=days, clock=at(1, 9, 12))
    assert not centre.of()


def test_a_day_that_shrank_keeps_its_file(centre: Centre, tmp_path: Path) -> None:
    days = (dt.date(2020, 1, 1), dt.date(2020, 1, 1))
    clock = FakeClock(start=dt.datetime(2020, 1, 2, 1, tzinfo=dt.UTC))
    for channel in list(centre.records):
        centre.records[channel] = b""
        centre.add(str(channel), FIRST, 1)
        centre.records[channel] = centre.records[channel][:2048]
    fetch(centre, tmp_path, days=days, clock=clock)
    before = files(tmp_path)
    assert len(before) == 6
    for later, fault in ((4, status(204)), (6, wholly(lambda body: body[:512]))):
        centre.always = lambda asked, fault=fault: fault
        centre.asked.clear()
        fetch(centre, tmp_path, days=days, clock=FakeClock(start=dt.datetime(2020, 1, later, tzinfo=dt.UTC)))
        assert centre.count() == 2
        assert files(tmp_path) == before


def test_a_day_that_is_not_over_is_not_asked_for(centre: Centre, tmp_path: Path) -> None:
    clock = FakeClock(start=dt.datetime(2020, 1, 4, 12, tzinfo=dt.UTC))
    fetch(centre, tmp_path, clock=clock)
    assert files(tmp_path) == expected(centre, 3)
    with pytest.raises(ConfigError, match="no channel of this selection on a day that is over"):
        fetch(centre, tmp_path, days=(dt.date(2020, 1, 4), dt.date(2020, 1, 9)), clock=clock)


def test_retry_empty(centre: Centre, tmp_path: Path) -> None:
    centre.has_availability = False
    centre.always = lambda asked: status(404) if asked.lines[0][1] == "PAS" else None
    assert fetch(centre, tmp_path).exit_status == 0
    centre.always = None
    assert fetch(centre, tmp_path).requests == 0
    assert fetch(centre, tmp_path, retry_empty=True).exit_status == 0
    assert files(tmp_path) == expected(centre)


def test_metadata_of_several_runs(centre: Centre, tmp_path: Path) -> None:
    """Runs for other stations and channels complete stations.xml; a failed one takes nothing away."""
    import obspy

    def ids() -> set[str]:
        inventory = obspy.read_inventory(str(tmp_path / "stations.xml"))
        return set(inventory.get_contents()["channels"])

    fetch(centre, tmp_path, codes={"stations": "CCC", "channels": "LHZ"})
    assert ids() == {"CI.CCC..LHZ"}
    fetch(centre, tmp_path, codes={"stations": "CCC", "channels": "LHN"})
    assert ids() == {"CI.CCC..LHZ", "CI.CCC..LHN"}
    fetch(centre, tmp_path)
    assert ids() == set(NAMES)
    centre.add("CI.NEW..LHZ", FIRST, DAYS, rate_hz=0.01)
    centre.no_metadata = {"CCC", "NEW"}
    centre.rates[Channel.parse("CI.CCC..LHZ")] = 0.02  # listed otherwise than before: asked for again
    later = FakeClock(start=FakeClock().start + dt.timedelta(days=2))
    report = fetch(centre, tmp_path, clock=later)
    assert report.exit_status == 1
    assert report.problems == {"RefusedError: refused (400): no responses": 2}
    assert ids() == set(NAMES)
    assert "2020/CI/NEW/LHZ.D/CI.NEW..LHZ.D.2020.001" in files(tmp_path)
    centre.no_metadata = set()
    assert fetch(centre, tmp_path, clock=later).exit_status == 0
    assert ids() == {*NAMES, "CI.NEW..LHZ"}


def test_a_dry_run_writes_nothing(centre: Centre, tmp_path: Path) -> None:
    out = tmp_path / "out"
    selection = Selection(networks="CI", start=JANUARY[0], end=JANUARY[1])
    offer, planned = preview(centre.service, selection, str(out), manners=Manners(clock=FakeClock()))
    assert not out.exists()
    assert centre.count() == 0
    assert len(offer.streams) == 2
    assert sum(task.payload.channel_days for task in planned.todo) == 31 * 6


def test_on_any_store(centre: Centre) -> None:
    report = fetch(centre, "memory://download-test")
    assert report.exit_status == 0
    assert fetch(centre, "memory://download-test").requests == 0


def test_credentials_are_written_nowhere(centre: Centre, tmp_path: Path) -> None:
    centre.user = ("somebody", "hunter2hunter2")
    report = fetch(centre, tmp_path, credentials=Credentials(user="somebody", password="hunter2hunter2"))
    assert report.exit_status == 0
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes()
    wrong = fetch(centre, tmp_path / "b", credentials=Credentials(user="somebody", password="hunter3hunter3"))
    assert wrong.exit_status == 1
    assert list(wrong.problems) == ["not permitted (401)"]
    assert "hunter" not in json.dumps(wrong.to_dict())


def test_stopped_in_the_middle(centre: Centre, tmp_path: Path) -> None:
    """A signal ends it after the requests that are out; what came is kept, and the rest asked next time."""
    for number in range(20):
        centre.add(f"CI.S{number:02}..LHZ", FIRST, DAYS, rate_hz=0.01)
    seen = []

    def choose(asked: Asked) -> None:
        seen.append(asked)
        if len(seen) == 5:
            os.kill(os.getpid(), signal.SIGTERM)

    assert threading.current_thread() is threading.main_thread()
    centre.always = choose
    report = fetch(centre, tmp_path)
    assert report.exit_status == 128 + signal.SIGTERM
    assert not report.problems
    assert centre.count() < 20
    there = len(files(tmp_path))
    assert there
    centre.always = None
    centre.asked.clear()
    assert fetch(centre, tmp_path).exit_status == 0
    assert files(tmp_path) == expected(centre)
    assert sum(asked.channel_days for asked in centre.of()) == pytest.approx(26 * 31 - there, abs=0.01)


@pytest.fixture
def command_line(centre: Centre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    for name in ("FDSN_USER", "FDSN_PASSWORD", "FDSN_BEARER_TOKEN", "EIDA_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(download_module, "SystemClock", FakeClock)
    out = str(tmp_path / "out")
    return ["download", centre.base, out, "--networks", "CI", "--start", "2020-01-01", "--end", "2020-01-05"]


def test_the_command(
    centre: Centre, command_line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command_line, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "2 streams of 2 stations; 0 channel-days have no data, it says" in shown
    assert "30 channel-days to ask for, in 2 requests or more" in shown
    assert not (tmp_path / "out").exists()
    assert main([*command_line, "--quiet"]) == 0
    assert "2 of 2 blocks" in capsys.readouterr().out
    assert main([*command_line, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["requests"], told["planned"], told["exit_status"]) == (0, {"done": 2}, 0)
    assert main([*command_line, "--json", "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["channel_days"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--networks", "ZZ"], "lists no channel of this selection"),
        (["--networks", "*"], "the whole world is too much"),
        (["--connections", "0"], "--connections 0 should be"),
        (["--rate", "0"], "--rate 0 should be"),
        (["--region", "1", "0", "0", "1"], "--region 1 0 0 1 should be"),
        (["--end", "2019-01-01"], "lies before"),
    ],
)
def test_a_wrong_call(
    command_line: list[str], change: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main([*command_line, *change])
    except SystemExit as left:
        code = int(str(left.code))
    assert code == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.count("\n") == 1


def test_a_selection_that_the_centre_calls_wrong(
    centre: Centre, command_line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    centre.station_faults.append(status(400, "Error 400: unknown\nparameter: circle"))
    assert main(command_line) == 2
    assert "refused (400): Error 400: unknown parameter: circle" in capsys.readouterr().err


def test_a_centre_that_is_away(
    centre: Centre, command_line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    centre.station_faults.extend([status(503)] * 9)
    assert main(command_line) == 1
    assert capsys.readouterr().err == "stationday: no answer (503)\n"


def test_losses_are_told(centre: Centre, command_line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    centre.always = lambda asked: status(403) if asked.lines[0][1] == "PAS" else None
    assert main([*command_line, "--quiet"]) == 1
    told = capsys.readouterr()
    assert "lost: 5 x not permitted (403), as " in told.err
    assert "CI.PAS..LH/2020.01" in told.err
    assert "--retry-failed" in told.out
