"""
StationXML documents: several made into one, the same whatever their order.

Networks, stations and channels are matched by their codes and start. Where two documents describe the same
channel epoch, the one with the fuller response holds: a document made without responses takes none away. Of
equally full ones, that of the document that was created later holds.

Dataless SEED and FDSN text give networks, and text stations, without a start. What lies below those goes to
the one of the same code that has a start and spans it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pipeline.errors import FormatError

__all__ = ["NAMESPACE", "channel_epochs", "count_channels", "count_superseded", "merge_stationxml"]

NAMESPACE = "http://www.fdsn.org/xml/station/1"
_LEVELS = ("Network", "Station", "Channel")
_COUNTS = ("TotalNumberStations", "SelectedNumberStations", "TotalNumberChannels", "SelectedNumberChannels")
_FILTERS = ("PolesZeros", "Coefficients", "FIR", "ResponseList", "Polynomial", "InstrumentPolynomial")
_GAINS = ("InstrumentSensitivity", "StageGain")


def merge_stationxml(documents: Iterable[bytes]) -> bytes:
    """
    Make one StationXML document of several.

    The order of the documents does not matter, and merging a merged document changes nothing. Comments and
    counts of stations are left out.

    Parameters
    ----------
    documents : iterable of bytes

    Returns
    -------
    bytes
        Canonical XML, sorted.

    Raises
    ------
    FormatError
        Where there is no document, or one is no StationXML.
    """
    from lxml import etree  # type: ignore[import-untyped]

    roots = [_parse(document) for document in documents]
    if not roots:
        raise FormatError("there should be at least one StationXML document to merge")
    roots.sort(key=lambda root: (root.findtext(_tag("Created")) or "", etree.tostring(root)))
    merged = roots[-1]
    _join_repeated(merged, *_LEVELS)
    for root in roots[-2::-1]:
        _merge_into(merged, root.findall(_tag("Network")), "Station", "Channel")
    _sort(merged, _LEVELS)
    _settle_undated(merged, *_LEVELS)
    _sort(merged, _LEVELS)
    etree.cleanup_namespaces(merged)
    etree.indent(merged)
    return bytes(etree.tostring(merged, method="c14n")) + b"\n"


def count_channels(document: bytes) -> tuple[int, int]:
    """
    Count the stations and the channel epochs of a document.

    >>> count_channels(f'<FDSNStationXML xmlns="{NAMESPACE}"><Network code="CI"/></FDSNStationXML>'.encode())
    (0, 0)
    """
    root = _parse(document)
    codes = {(network.get("code"), station.get("code")) for network, station in _stations(root)}
    return len(codes), sum(1 for _ in root.iter(_tag("Channel")))


def channel_epochs(document: bytes) -> dict[str, list[tuple[int, int | None]]]:
    """
    Return when the channels of a document have epochs.

    Parameters
    ----------
    document : bytes

    Returns
    -------
    dict of str to list of (int, int or None)
        By channel, ``CI.CCC..HHZ``: the first nanosecond since 1970, and the first one after; None while the
        epoch is open. Where a channel states no start, that of its station holds, or that of its network.
    """
    found: dict[str, list[tuple[int, int | None]]] = {}
    for network, station in _stations(_parse(document)):
        for channel in station.iterchildren(_tag("Channel")):
            starts = (_time_ns(each, "startDate") for each in (channel, station, network))
            start_ns = next((start for start in starts if start is not None), 0)
            code, location = _codes(channel)
            name = f"{network.get('code', '')}.{station.get('code', '')}.{location}.{code}"
            found.setdefault(name, []).append((start_ns, _time_ns(channel, "endDate")))
    return found


def count_superseded(document: bytes, merged: bytes) -> int:
    """Count the channel epochs of a document that a merged one has otherwise."""
    held = dict(_channels(_parse(merged)))
    return sum(held.get(key) != text for key, text in _channels(_parse(document)))


def _channels(root: Any) -> Iterator[tuple[tuple[str, ...], bytes]]:
    from lxml import etree

    for network, station in _stations(root):
        for channel in station.iterchildren(_tag("Channel")):
            key = (network.get("code", ""), station.get("code", ""), *_identity(channel))
            yield key, etree.tostring(channel, method="c14n", exclusive=True).strip()


def _stations(root: Any) -> Iterator[tuple[Any, Any]]:
    for network in root.iterchildren(_tag("Network")):
        for station in network.iterchildren(_tag("Station")):
            yield network, station


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _parse(document: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
        resolve_entities=False,
        no_network=True,
        huge_tree=True,  # a network's document is longer than lxml thinks decent
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise FormatError(f"a document of {len(document)} bytes is no XML: {error}") from error
    if etree.QName(root).localname != "FDSNStationXML":
        name = etree.QName(root).localname
        raise FormatError(f"a StationXML document should be a FDSNStationXML, got a {name}")
    for element in list(root.iter()):
        name = etree.QName(element)
        if name.localname in _COUNTS:
            element.getparent().remove(element)
        elif name.namespace is None:
            element.tag = _tag(name.localname)
    return root


def _identity(element: Any) -> tuple[str, ...]:
    """Codes and start, the latter written in one way."""
    start_ns = _time_ns(element, "startDate")
    return *_codes(element), "" if start_ns is None else f"{start_ns:+020d}"


def _codes(element: Any) -> tuple[str, str]:
    return element.get("code", ""), element.get("locationCode", "").strip()


def _time_ns(element: Any, name: str) -> int | None:
    from obspy import UTCDateTime

    text = element.get(name)
    try:
        return int(UTCDateTime(text).ns) if text else None
    except (ValueError, TypeError) as error:
        codes = ".".join(code for code in _codes(element) if code)
        raise FormatError(f"{codes}: {name} should be a time as 2020-03-01T00:00:00, got {text!r}") from error


def _merge_into(parent: Any, elements: Sequence[Any], *below: str) -> None:
    """Move elements into a parent; those it has already give it what lies ``below`` them instead."""
    known = {_identity(element): element for element in parent.iterchildren(*{e.tag for e in elements})}
    for element in elements:
        same = known.get(_identity(element))
        if same is None:
            parent.append(element)
            if below:
                known[_identity(element)] = element
                _join_repeated(element, *below)
        elif below:
            _merge_into(same, element.findall(_tag(below[0])), *below[1:])
        elif _fullness(element) > _fullness(same):
            parent.replace(same, element)
            known[_identity(element)] = element


def _join_repeated(parent: Any, name: str, *below: str) -> None:
    """Join what a document has in several parts: networks, and stations of one network."""
    known: dict[tuple[str, ...], Any] = {}
    for element in parent.findall(_tag(name)) if below else ():
        first = known.setdefault(_identity(element), element)
        if first is element:
            _join_repeated(element, *below)
        else:
            _merge_into(first, element.findall(_tag(below[0])), *below[1:])
            parent.remove(element)


def _fullness(channel: Any) -> int:
    """How much of a response a channel has: filters, gains alone, or nothing."""
    names = {_tag(name) for name in (*_FILTERS, *_GAINS)}
    found = {element.tag for element in channel.iter(*names)}
    return 2 if found - {_tag(name) for name in _GAINS} else int(bool(found))


def _settle_undated(parent: Any, name: str, *below: str) -> None:
    """Give what lies below elements without a start to those of the same code that have one and span it."""
    if not below:
        return
    elements = parent.findall(_tag(name))
    for element in elements:
        dated = [e for e in elements if _codes(e) == _codes(element) and e.get("startDate")]
        if element.get("startDate") or not dated:
            continue
        for child in _take(element, below[0]):
            home = next((each for each in dated if _spans(each, _first_start(child))), element)
            _merge_into(home, [child], *below[1:])
        if element.find(_tag(below[0])) is None:
            parent.remove(element)
    for element in parent.findall(_tag(name)):
        _settle_undated(element, *below)


def _first_start(element: Any) -> int | None:
    starts = (_time_ns(each, "startDate") for each in element.iter(*map(_tag, _LEVELS)))
    return min((start for start in starts if start is not None), default=None)


def _spans(element: Any, time_ns: int | None) -> bool:
    start_ns, end_ns = _time_ns(element, "startDate"), _time_ns(element, "endDate")
    if time_ns is None or start_ns is None:
        return True
    return start_ns <= time_ns and (end_ns is None or time_ns < end_ns)


def _take(parent: Any, name: str) -> list[Any]:
    """Take the children of one name out of their parent."""
    found = parent.findall(_tag(name))
    for element in found:
        parent.remove(element)
    return list(found)


def _sort(parent: Any, levels: tuple[str, ...]) -> None:
    found = parent.findall(_tag(levels[0]))
    for element in sorted(found, key=_identity):
        parent.append(element)  # moves it to the end
        if levels[1:]:
            _sort(element, levels[1:])
