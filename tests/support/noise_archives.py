"""Archives for tests of noise: white ground at some stations, gravimeters with a tide, and their metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import obspy

from workflows.cli import main

__all__ = ["DAY", "Channel", "flat", "ingest", "write_days"]

DAY = obspy.UTCDateTime(2021, 3, 1)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One channel: its code, its place, what one unit of ground makes in counts, and since when."""

    station: str = "AAA"
    code: str = "HHZ"
    latitude: float = 30.0
    longitude: float = 100.0
    response: str = ""
    start: str = "2000-01-01T00:00:00"
    end: str = ""


def flat(gain: float, unit: str) -> str:
    """Write a response that is one gain at all frequencies."""
    units = f"<InputUnits><Name>{unit}</Name></InputUnits><OutputUnits><Name>COUNTS</Name></OutputUnits>"
    return (
        f"<Response><InstrumentSensitivity><Value>{gain}</Value><Frequency>1</Frequency>{units}"
        f"</InstrumentSensitivity><Stage number='1'><PolesZeros>{units}<PzTransferFunctionType>LAPLACE "
        "(RADIANS/SECOND)</PzTransferFunctionType><NormalizationFactor>1</NormalizationFactor>"
        "<NormalizationFrequency>1</NormalizationFrequency></PolesZeros><StageGain>"
        f"<Value>{gain}</Value><Frequency>1</Frequency></StageGain></Stage></Response>"
    )


def stationxml(*channels: Channel) -> bytes:
    """Write the metadata of network XX."""
    stations: dict[str, list[Channel]] = {}
    for channel in channels:
        stations.setdefault(channel.station, []).append(channel)
    return (
        '<?xml version="1.0"?><FDSNStationXML xmlns="http://www.fdsn.org/xml/station/1" schemaVersion="1.1">'
        "<Source>test</Source><Created>2024-01-01T00:00:00</Created>"
        '<Network code="XX" startDate="2000-01-01T00:00:00Z">'
        + "".join(_station(code, own) for code, own in stations.items())
        + "</Network></FDSNStationXML>"
    ).encode()


def _place(channel: Channel) -> str:
    return (
        f"<Latitude>{channel.latitude}</Latitude><Longitude>{channel.longitude}</Longitude>"
        "<Elevation>100</Elevation>"
    )


def _station(code: str, channels: list[Channel]) -> str:
    inside = "".join(
        f'<Channel code="{each.code}" locationCode="" startDate="{each.start}"'
        + (f' endDate="{each.end}"' if each.end else "")
        + f">{_place(each)}<Depth>0</Depth><Azimuth>0</Azimuth><Dip>-90</Dip>{each.response}</Channel>"
        for each in channels
    )
    return (
        f'<Station code="{code}" startDate="2000-01-01T00:00:00Z">{_place(channels[0])}'
        f"<Site><Name>{code}</Name></Site>{inside}</Station>"
    )


def write_days(
    folder: Path,
    station: str,
    code: str,
    counts: np.ndarray,
    rate_hz: float,
    *,
    start: obspy.UTCDateTime = DAY,
) -> None:
    """Write a record as one file a day; NaN are gaps."""
    folder.mkdir(parents=True, exist_ok=True)
    per_day = round(86_400 * rate_hz)
    for number in range(-(-len(counts) // per_day)):
        values = np.ma.masked_invalid(counts[number * per_day : (number + 1) * per_day])
        if values.count() == 0:
            continue
        header = {"network": "XX", "station": station, "channel": code, "sampling_rate": rate_hz}
        header["starttime"] = start + number * 86_400
        kind = np.int32 if np.issubdtype(counts.dtype, np.integer) else np.float64
        trace = obspy.Trace(values.astype(kind), header)
        path = folder / f"XX.{station}..{code}.D.{(start + number * 86_400).strftime('%Y.%j')}"
        trace.split().write(str(path), format="MSEED")


def ingest(folder: Path, archive: Path, *channels: Channel) -> None:
    """Make an archive of a folder."""
    metadata: Mapping[str, bytes] = {"stations.xml": stationxml(*channels)} if channels else {}
    options = []
    for name, text in metadata.items():
        path = archive.with_name(f"{archive.name}.{name}")
        path.write_bytes(text)
        options = ["--stations", str(path)]
    assert (
        main(["ingest", str(folder), "--archive", str(archive), "--cluster", "serial", "--quiet", *options])
        == 0
    )
