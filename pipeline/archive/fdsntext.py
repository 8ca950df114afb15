"""
FDSN text, as ``format=text`` of the station service has it, to StationXML.

A line of text says where a channel is, how it points, and its overall sensitivity, but nothing of poles and
zeros: what it becomes is a gain at all frequencies. Lines of stations alone say where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from pipeline.archive.documents import NAMESPACE
from pipeline.errors import FormatError

__all__ = ["is_fdsn_text", "text_to_stationxml"]

CREATED = "1970-01-01T00:00:00Z"
"""Before any other document: a text does not say when it was made, and StationXML says more."""

_PLACE = ("latitude", "longitude", "elevation")
_CHANNEL = (
    "network", "station", "location", "channel", *_PLACE, "depth", "azimuth", "dip", "sensor", "scale",
    "scale frequency", "scale units", "sample rate", "start", "end",
)  # fmt: skip
_STATION = ("network", "station", *_PLACE, "site", "start", "end")
_NETWORK = ("network", "description", "start", "end", "stations")
_LAYOUTS = {len(layout): layout for layout in (_CHANNEL, _STATION, _NETWORK)}
_RANGES = {
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
    "azimuth": (0.0, 360.0),
    "dip": (-90.0, 90.0),
}
_MAY_LACK = ("azimuth", "dip")


@dataclass(frozen=True, slots=True)
class _Line:
    """One line that is no comment."""

    number: int
    fields: Mapping[str, str]

    def code(self, name: str) -> str:
        """Return a code that must be there."""
        if not self.fields[name]:
            raise FormatError(f"line {self.number}: the {name} should have a code")
        return self.fields[name]

    def value(self, name: str) -> float | None:
        """Return a number, None where there is none."""
        text = self.fields[name]
        try:
            return float(text) if text else None
        except ValueError:
            raise FormatError(f"line {self.number}: {name} should be a number, got {text!r}") from None

    def time(self, name: str) -> str:
        """Return a time as it is written, having seen that it is one."""
        from obspy import UTCDateTime

        text = self.fields[name]
        try:
            return text if not text else str(UTCDateTime(text))
        except (ValueError, TypeError):
            raise FormatError(
                f"line {self.number}: {name} should be a time as 2020-03-01T00:00:00, got {text!r}"
            ) from None


def is_fdsn_text(head: bytes) -> bool:
    """
    Tell by the first bytes whether a file is FDSN text: a heading of names, or as many fields as there are.

    >>> is_fdsn_text(b"#Network | Station | Latitude | Longitude | Elevation | SiteName | Start | End")
    True
    >>> is_fdsn_text(b"a,b,c")
    False
    """
    for line in head.decode("utf-8-sig", "replace").splitlines():
        if line.startswith("#Network"):
            return True
        if line.strip() and not line.startswith("#"):
            return line.count("|") + 1 in _LAYOUTS
    return False


def text_to_stationxml(data: bytes) -> tuple[bytes, list[str]]:
    """
    Turn FDSN text into StationXML.

    Parameters
    ----------
    data : bytes
        Of level ``channel`` or ``station``.

    Returns
    -------
    document : bytes
    notes : list of str
        What it lacks, and what was left out.

    Raises
    ------
    FormatError
        With the number of the line.

    Examples
    --------
    >>> line = "CI|CCC||HHZ|35.5|-117.4|670|0|0|-90|CMG-3T|6.3e8|0.03|M/S|100|2013-05-07T00:00:00|"
    >>> document, notes = text_to_stationxml(line.encode())
    >>> b'<Value>630000000.0</Value>' in document, notes
    (True, ['text states overall sensitivities alone: a response is that gain at every frequency'])
    """
    lines = list(_lines(data))
    if not lines:
        raise FormatError("FDSN text should have a line for each channel or station, got none")
    notes: list[str] = []
    root = Element("FDSNStationXML", xmlns=NAMESPACE, schemaVersion="1.1")
    SubElement(root, "Source").text = "FDSN text"
    SubElement(root, "Created").text = CREATED
    networks: dict[str, Element] = {}
    stations: dict[tuple[str, ...], Element] = {}
    for line in lines:
        code = line.fields["network"]
        network = networks.get(code)
        if network is None:
            network = networks[code] = SubElement(root, "Network", code=code)
        is_channel = "channel" in line.fields
        key = (code, line.code("station"), "" if is_channel else line.time("start"))
        if key not in stations:
            stations[key] = _add_station(network, line, is_channel=is_channel)
        if is_channel:
            _add_channel(stations[key], line, notes)
    if any("channel" in line.fields for line in lines):
        notes.append("text states overall sensitivities alone: a response is that gain at every frequency")
    else:
        notes.append("text of stations says where they are, and nothing of channels")
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True)), notes


def _lines(data: bytes) -> Iterator[_Line]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"FDSN text should be UTF-8: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("|")]
        layout = _LAYOUTS.get(len(fields))
        if layout is None:
            raise FormatError(
                f"line {number}: should have {len(_CHANNEL)} fields (a channel) or {len(_STATION)} "
                f"(a station) between |, got {len(fields)}"
            )
        if layout is _NETWORK:
            raise FormatError(f"line {number}: says nothing of stations; ask for level=channel")
        yield _Line(number, dict(zip(layout, fields, strict=True)))


def _add_station(network: Element, line: _Line, *, is_channel: bool) -> Element:
    """Add a station; where only channels are described, at the place of the first, and without a start."""
    dates = {} if is_channel else _dates(line)
    station = SubElement(network, "Station", {"code": line.code("station")} | dates)
    _add_place(station, line)
    site = SubElement(station, "Site")
    SubElement(site, "Name").text = line.fields.get("site") or line.fields["station"]
    return station


def _add_channel(station: Element, line: _Line, notes: list[str]) -> None:
    location = line.fields["location"].replace("--", "")
    codes = {"code": line.code("channel"), "locationCode": location}
    channel = SubElement(station, "Channel", codes | _dates(line))
    _add_place(channel, line)
    _add(channel, "Depth", line.value("depth") or 0.0)
    for name in _MAY_LACK:
        value = line.value(name)
        if value is not None and not _is_within(name, value):
            notes.append(f"line {line.number}: {name} {value:g}° is no direction, left out")
            value = None
        _add(channel, name.capitalize(), value)
    _add(channel, "SampleRate", line.value("sample rate"))
    if line.fields["sensor"]:
        SubElement(SubElement(channel, "Sensor"), "Description").text = line.fields["sensor"]
    scale = line.value("scale")
    if scale:
        _add_gain(channel, scale, line.value("scale frequency") or 0.0, line.fields["scale units"])


def _add_gain(channel: Element, scale: float, frequency_hz: float, units: str) -> None:
    """Add a sensitivity, and one stage with that gain: a response that can be asked at any frequency."""
    response = SubElement(channel, "Response")
    overall = SubElement(response, "InstrumentSensitivity")
    gain = SubElement(SubElement(response, "Stage", number="1"), "StageGain")
    for parent in (overall, gain):
        _add(parent, "Value", scale)
        _add(parent, "Frequency", frequency_hz)
    for tag, name in (("InputUnits", units), ("OutputUnits", "counts")):
        SubElement(SubElement(overall, tag), "Name").text = name


def _add_place(parent: Element, line: _Line) -> None:
    for name in _PLACE:
        value = line.value(name)
        if value is None or not _is_within(name, value):
            low, high = _RANGES.get(name, (float("-inf"), float("inf")))
            within = f" from {low:g} to {high:g}" if name in _RANGES else ""
            raise FormatError(
                f"line {line.number}: {name} should be a number{within}, got {line.fields[name]!r}"
            )
        _add(parent, name.capitalize(), value)


def _is_within(name: str, value: float) -> bool:
    low, high = _RANGES.get(name, (-1e9, 1e9))
    return low <= value <= high


def _dates(line: _Line) -> dict[str, str]:
    dates: Sequence[tuple[str, str]] = (("startDate", line.time("start")), ("endDate", line.time("end")))
    return {name: text for name, text in dates if text}


def _add(parent: Element, tag: str, value: float | None) -> None:
    if value is not None:
        SubElement(parent, tag).text = repr(value)
