"""
StationXML of a synthetic network: FDSN 1.2, with the response of every channel in two stages.

::

    ground  -->  stage 1: poles and zeros  -->  V  -->  stage 2: digitizer, a gain  -->  counts

What is written is what the operators of the network believe: the stated orientations and epochs. Site terms
and faults are not in it. The same stations give the same bytes: the time of creation is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np

from pipeline.synthetic.instruments import Instrument, Sensor
from pipeline.synthetic.layout import Station

__all__ = ["stationxml"]

_NAMESPACE = "http://www.fdsn.org/xml/station/1"
_MODULE = "stationday synthetic"


def stationxml(
    stations: Iterable[Station], *, created_ns: int = 0, source: str = _MODULE, description: str = ""
) -> bytes:
    """
    Write the metadata of stations.

    Parameters
    ----------
    stations : iterable of Station
        In any order. A station that comes twice is written once, with the sensors of both.
    created_ns : int
        Nanoseconds since 1970, for the document's time of creation.
    source : str
        Who made it.
    description : str
        Of each network.

    Returns
    -------
    bytes
        An XML document in UTF-8.

    Examples
    --------
    >>> from pipeline.synthetic.layout import Region, seismic_network
    >>> region = Region(latitude=50.0, longitude=8.0, width_km=100.0, height_km=60.0)
    >>> document = stationxml(seismic_network(region, 2, seed=1, start_ns=0))
    >>> document.count(b"<Station "), document.count(b"<Channel ")
    (2, 6)
    """
    root = Element("FDSNStationXML", xmlns=_NAMESPACE, schemaVersion="1.2")
    _add(root, "Source", source)
    _add(root, "Created", _time(created_ns))
    ordered = sorted(stations, key=lambda station: (station.network, station.name))
    for code, members in groupby(ordered, key=lambda station: station.network):
        network = SubElement(root, "Network", code=code)
        if description:
            _add(network, "Description", description)
        for _, same in groupby(members, key=lambda station: station.name):
            group = list(same)
            network.append(_station(group[0], [sensor for one in group for sensor in one.sensors]))
        _set_span(network, [sensor for one in ordered if one.network == code for sensor in one.sensors])
    indent(root)
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _station(station: Station, sensors: list[Sensor]) -> Element:
    element = Element("Station", code=station.name)
    _set_span(element, sensors)
    _add_place(element, station)
    _add(SubElement(element, "Site"), "Name", f"synthetic site {station.name}")
    for sensor in sorted(sensors, key=lambda sensor: (sensor.location, sensor.code, sensor.stated_epoch[0])):
        for code, azimuth_deg, dip_deg in sensor.channels:
            channel = SubElement(element, "Channel", code=code, locationCode=sensor.location)
            _set_span(channel, [sensor])
            _add_place(channel, station)
            _add(channel, "Depth", "0.0")
            _add(channel, "Azimuth", azimuth_deg)
            _add(channel, "Dip", dip_deg)
            for kind in (
                "CONTINUOUS",
                "WEATHER" if sensor.instrument.quantity == "pressure" else "GEOPHYSICAL",
            ):
                _add(channel, "Type", kind)
            _add(channel, "SampleRate", sensor.rate_hz)
            _add(SubElement(channel, "Sensor"), "Description", sensor.instrument.name)
            channel.append(_response(sensor.instrument, sensor.rate_hz))
    return element


def _response(instrument: Instrument, rate_hz: float) -> Element:
    response = Element("Response")
    overall = SubElement(response, "InstrumentSensitivity")
    _add(overall, "Value", instrument.sensitivity)
    _add(overall, "Frequency", instrument.gain_hz)
    _add_units(overall, instrument.units, "count")
    first = SubElement(response, "Stage", number="1")
    _add_poles_and_zeros(SubElement(first, "PolesZeros", name=instrument.name), instrument)
    _add_gain(first, instrument.sensor_gain, instrument.gain_hz)
    second = SubElement(response, "Stage", number="2")
    # No coefficients: a digitizer that passes all frequencies up to its Nyquist's alike.
    digitizer = SubElement(second, "Coefficients", name="digitizer")
    _add_units(digitizer, "V", "count")
    _add(digitizer, "CfTransferFunctionType", "DIGITAL")
    decimation = SubElement(second, "Decimation")
    for name, value in (
        ("InputSampleRate", rate_hz),
        ("Factor", "1"),
        ("Offset", "0"),
        ("Delay", 0.0),
        ("Correction", 0.0),
    ):
        _add(decimation, name, value)
    _add_gain(second, instrument.counts_per_volt, instrument.gain_hz)
    return response


def _add_poles_and_zeros(parent: Element, instrument: Instrument) -> None:
    _add_units(parent, instrument.units, "V")
    _add(parent, "PzTransferFunctionType", "LAPLACE (RADIANS/SECOND)")
    _add(parent, "NormalizationFactor", instrument.normalisation)
    _add(parent, "NormalizationFrequency", instrument.gain_hz)
    number = 0
    for name, roots in (("Zero", instrument.zeros), ("Pole", instrument.poles)):
        for root in roots:
            element = SubElement(parent, name, number=str(number))
            _add(element, "Real", float(root.real))
            _add(element, "Imaginary", float(root.imag))
            number += 1


def _add_units(parent: Element, taken: str, given: str) -> None:
    for tag, name in (("InputUnits", taken), ("OutputUnits", given)):
        _add(SubElement(parent, tag), "Name", name)


def _add_gain(stage: Element, value: float, frequency_hz: float) -> None:
    gain = SubElement(stage, "StageGain")
    _add(gain, "Value", value)
    _add(gain, "Frequency", frequency_hz)


def _add_place(parent: Element, station: Station) -> None:
    _add(parent, "Latitude", station.latitude)
    _add(parent, "Longitude", station.longitude)
    _add(parent, "Elevation", station.elevation_m)


def _add(parent: Element, tag: str, value: str | float) -> None:
    SubElement(parent, tag).text = value if isinstance(value, str) else repr(float(value))


def _set_span(element: Element, sensors: list[Sensor]) -> None:
    """Date an element from the first start of its sensors to their last end, if all of them end."""
    if not sensors:
        return
    element.set("startDate", _time(min(sensor.stated_epoch[0] for sensor in sensors)))
    ends = [sensor.stated_epoch[1] for sensor in sensors]
    if None not in ends:
        element.set("endDate", _time(max(end for end in ends if end is not None)))


def _time(time_ns: int) -> str:
    return f"{np.datetime64(time_ns, 'ns').astype('datetime64[us]')}Z"
