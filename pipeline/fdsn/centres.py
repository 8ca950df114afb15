"""Data centres: their names, and where each web service of one lies."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from pipeline.errors import ConfigError

__all__ = ["CENTRES", "Service", "find_service"]

Kind = Literal["dataselect", "station", "availability"]

CENTRES = {
    "AUSPASS": "https://auspass.edu.au",
    "BGR": "https://eida.bgr.de",
    "BGS": "https://eida.bgs.ac.uk",
    "EARTHSCOPE": "https://service.earthscope.org",
    "EPOSFR": "https://seisdata.epos-france.fr",
    "ETH": "https://eida.ethz.ch",
    "GEOFON": "https://geofon.gfz.de",
    "GEONET": "https://service.geonet.org.nz",
    "GFZ": "https://geofon.gfz.de",
    "ICGC": "https://ws.icgc.cat",
    "IESDMC": "http://batsws.earth.sinica.edu.tw",
    "INGV": "https://webservices.ingv.it",
    "IPGP": "https://ws.ipgp.fr",
    "IRIS": "https://service.earthscope.org",
    "KNMI": "https://rdsa.knmi.nl",
    "KOERI": "https://eida.koeri.boun.edu.tr",
    "LMU": "https://erde.geophysik.uni-muenchen.de",
    "NCEDC": "https://service.ncedc.org",
    "NIEP": "https://eida-sc3.infp.ro",
    "NOA": "https://eida.gein.noa.gr",
    "NRCAN": "https://earthquakescanada.nrcan.gc.ca",
    "ORFEUS": "https://www.orfeus-eu.org",
    "RASPISHAKE": "https://data.raspberryshake.org",
    "RESIF": "https://ws.resif.fr",
    "SCEDC": "https://service.scedc.caltech.edu",
    "TEXNET": "http://rtserve.beg.utexas.edu",
    "UIB-NORSAR": "https://eida.geo.uib.no",
    "USP": "https://sismo.iag.usp.br",
}
"""
Base URLs of data centres with a dataselect service, as obspy 1.5 lists them. They move now and then: any URL
can be given instead of a name.
"""

_EVENTS_ONLY = frozenset({"EMSC", "ISC", "USGS"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Service:
    """
    The web services below one base URL.

    Examples
    --------
    >>> service = find_service("SCEDC")
    >>> service.url("dataselect")
    'https://service.scedc.caltech.edu/fdsnws/dataselect/1/query'
    >>> service.slug, service.is_private
    ('service.scedc.caltech.edu', True)
    """

    base: str

    def url(self, kind: Kind, method: str = "query") -> str:
        """Return where a method of a service lies."""
        return f"{self.base}/fdsnws/{kind}/1/{method}"

    @property
    def slug(self) -> str:
        """The base URL as the name of a folder."""
        return re.sub(r"[^A-Za-z0-9.-]+", "-", self.base.partition("://")[2]).strip("-")

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what is sent: HTTPS, or this machine."""
        parts = urlsplit(self.base)
        return parts.scheme == "https" or parts.hostname in _LOOPBACK


def find_service(name: str) -> Service:
    """
    Find the service of a name or a base URL.

    Parameters
    ----------
    name : str
        One of `CENTRES`, in any case, or a base URL such as ``https://eida.ethz.ch``.

    Raises
    ------
    ConfigError
        If it is neither.

    Examples
    --------
    >>> find_service("eth").base, find_service("http://localhost:8080/").base
    ('https://eida.ethz.ch', 'http://localhost:8080')
    >>> find_service("USGS")
    Traceback (most recent call last):
    pipeline.errors.ConfigError: USGS has no waveforms, only events; name a data centre with dataselect
    """
    if re.match(r"https?://[^/]", name):
        parts = urlsplit(name)
        if parts.username or parts.password:
            raise ConfigError("a service's URL should not hold a password; set FDSN_USER and FDSN_PASSWORD")
        return Service(name.partition("/fdsnws")[0].rstrip("/"))
    upper = name.upper()
    if upper in _EVENTS_ONLY:
        raise ConfigError(f"{upper} has no waveforms, only events; name a data centre with dataselect")
    if upper not in CENTRES:
        near = difflib.get_close_matches(upper, CENTRES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(CENTRES)}"
        raise ConfigError(f"{name!r} is no data centre and no http(s) URL; {hint}")
    return Service(CENTRES[upper])
