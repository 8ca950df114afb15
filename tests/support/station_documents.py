"""Write small StationXML documents for tests."""

from __future__ import annotations


def document(
    *channels: tuple[str, str, str, float] | tuple[str, str, str, float, str],
    created: str = "2024-01-01T00:00:00",
    network: str = "XX",
    station: str = "AAA",
    extra: str = "",
    starts: str = ' startDate="2000-01-01T00:00:00Z"',
) -> bytes:
    """Write StationXML with channels given as (code, start, end, azimuth), and perhaps a response."""
    lines = []
    for code, start, end, azimuth, *response in channels:
        until = f' endDate="{end}"' if end else ""
        lines.append(
            f'<Channel code="{code}" locationCode="" startDate="{start}"{until}><Latitude>10</Latitude>'
            f"<Longitude>20</Longitude><Elevation>30</Elevation><Depth>1</Depth><Azimuth>{azimuth}</Azimuth>"
            f"<Dip>-90</Dip><SampleRate>100</SampleRate>{''.join(response)}</Channel>"
        )
    return (
        '<?xml version="1.0"?><FDSNStationXML xmlns="http://www.fdsn.org/xml/station/1" schemaVersion="1.1">'
        f"<Source>test</Source><Created>{created}</Created>"
        f'<Network code="{network}"{starts}>{extra}'
        f'<Station code="{station}"{starts}><Latitude>10</Latitude>'
        f"<Longitude>20</Longitude><Elevation>30</Elevation><Site><Name>site</Name></Site>{''.join(lines)}"
        "</Station></Network></FDSNStationXML>"
    ).encode()


GAIN = (
    "<Response><InstrumentSensitivity><Value>2</Value><Frequency>1</Frequency>"
    "<InputUnits><Name>M/S</Name></InputUnits><OutputUnits><Name>COUNTS</Name></OutputUnits>"
    "</InstrumentSensitivity></Response>"
)
FILTERED = GAIN.replace(
    "</InstrumentSensitivity>",
    "</InstrumentSensitivity><Stage number='1'><PolesZeros><InputUnits><Name>M/S</Name></InputUnits>"
    "<OutputUnits><Name>COUNTS</Name></OutputUnits><PzTransferFunctionType>LAPLACE (RADIANS/SECOND)"
    "</PzTransferFunctionType><NormalizationFactor>1</NormalizationFactor><NormalizationFrequency>1"
    "</NormalizationFrequency></PolesZeros><StageGain><Value>3</Value><Frequency>1</Frequency></StageGain></Stage>",
)
