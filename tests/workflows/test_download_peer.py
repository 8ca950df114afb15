"""obspy's mass downloader beside ours, at one data centre: the same samples, and what one trouble costs."""

from __future__ import annotations

import datetime as dt
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import obspy
import pytest
from fdsn_server import HTML, Centre, FakeClock, Fault, cut, serve, status, wholly

from pipeline.fdsn.selection import Selection
from workflows.download import Manners, download

FIRST = 18262  # 2020-01-01
STATIONS = ("AAA", "BBB", "CCC")
DAYS = 4


def reset(handler: Any, body: bytes) -> None:
    """Send half, then reset the connection."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


@pytest.fixture
def centre() -> Iterator[Centre]:
    centre = Centre(has_availability=False)
    for station in STATIONS:
        centre.add(f"CI.{station}..LHZ", FIRST, DAYS)
    with serve(centre):
        yield centre


def samples(paths: list[Path]) -> dict[tuple[str, int], int]:
    """Return all samples by channel and time."""
    found = {}
    for path in paths:
        for trace in obspy.read(str(path)):
            times = trace.stats.starttime.ns + np.arange(trace.stats.npts) * round(trace.stats.delta * 1e9)
            found |= {
                (trace.id, time): int(value) for time, value in zip(times.tolist(), trace.data, strict=True)
            }
    return found


def by_obspy(centre: Centre, out: Path) -> list[Path]:
    from obspy.clients.fdsn import Client
    from obspy.clients.fdsn.mass_downloader import MassDownloader, RectangularDomain, Restrictions

    client = Client(centre.base, _discover_services=False)
    restrictions = Restrictions(
        starttime=obspy.UTCDateTime(2020, 1, 1),
        endtime=obspy.UTCDateTime(2020, 1, 1 + DAYS),
        chunklength_in_sec=86400,
        network="CI",
        channel_priorities=["LHZ"],
        reject_channels_with_gaps=False,
        minimum_length=0.0,
        minimum_interstation_distance_in_m=0,
    )
    MassDownloader(providers=[client], configure_logging=False).download(
        RectangularDomain(30, 40, -120, -110),
        restrictions,
        mseed_storage=str(out),
        stationxml_storage=str(out / "xml"),
        threads_per_client=1,
        download_chunk_size_in_mb=0.02,
    )
    return sorted(out.glob("*.mseed"))


def by_us(centre: Centre, out: Path) -> list[Path]:
    last = dt.date(2020, 1, DAYS)
    manners = Manners(connections=1, clock=FakeClock())
    selection = Selection(networks="CI", start=dt.date(2020, 1, 1), end=last)
    assert download(centre.service, selection, str(out), manners=manners).exit_status == 0
    return sorted(path for path in (out / "sds").rglob("*.D.2020.*") if path.is_file())


TROUBLES: dict[str, Fault | None] = {
    "none": None,
    "reset": reset,
    "cut": cut(),
    "503": status(503),
    "429": status(429, Retry_After="5"),
    "web page": wholly(lambda body: HTML),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("trouble", TROUBLES)
def test_beside_obspy(centre: Centre, tmp_path: Path, trouble: str) -> None:
    """One trouble costs obspy (1.5.1) one of twelve files, without an error; it costs us a request."""
    fault = TROUBLES[trouble]
    faults = [] if fault is None else [fault]
    centre.faults.extend(faults)
    ours = by_us(centre, tmp_path / "ours")
    assert len(ours) == len(STATIONS) * DAYS
    assert centre.count() == len(STATIONS) + len(faults)
    centre.faults.extend(faults)
    theirs = by_obspy(centre, tmp_path / "theirs")
    assert len(theirs) == len(STATIONS) * DAYS - len(faults)
    got, expected = samples(theirs), samples(ours)
    assert got.items() <= expected.items()
    if fault is None:
        assert got == expected
