"""Layouts: real names of real archives, and what a listing may leave out."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.layouts import LAYOUTS, Layout, Named, Wanted, find_layout, read_name
from pipeline.errors import ConfigError
from pipeline.keys import Channel

# Keys as they stand in the public buckets, and in trees of SeisComP.
REAL = [
    ("scedc", "2022/2022_002/BKTHIS_LHZ00_2022002.ms", "BK.THIS.00.LHZ", 2022, 2),
    ("scedc", "2022/2022_002/CIFOX2_LHZ___2022002.ms", "CI.FOX2..LHZ", 2022, 2),
    ("scedc", "2022/2022_002/CINCH__LHZ___2022002.ms", "CI.NCH..LHZ", 2022, 2),
    ("scedc", "2021/2021_034/CIGMR__LHN___2021034.ms", "CI.GMR..LHN", 2021, 34),
    ("scedc", "2023/2023_152/AZCRY__BHE___2023152.ms", "AZ.CRY..BHE", 2023, 152),
    ("scedc", "2016/2016_183/CISDD__HHE___2016183.ms", "CI.SDD..HHE", 2016, 183),
    ("ncedc", "NC/2022/2022.002/AFD.NC.HHZ..D.2022.002", "NC.AFD..HHZ", 2022, 2),
    ("ncedc", "NC/2021/2021.034/KCPB.NC.HHN..D.2021.034", "NC.KCPB..HHN", 2021, 34),
    ("ncedc", "BK/2022/2022.002/YUBA.BK.LHZ.00.D.2022.002", "BK.YUBA.00.LHZ", 2022, 2),
    ("ncedc", "BK/2022/2022.002/RUSS.BK.LHZ.00.D.2022.002", "BK.RUSS.00.LHZ", 2022, 2),
    ("geonet", "2019/2019.001/ABAZ.NZ/2019.001.ABAZ.10-EHE.NZ.D", "NZ.ABAZ.10.EHE", 2019, 1),
    ("sds", "2014/CX/PB01/HHZ.D/CX.PB01..HHZ.D.2014.121", "CX.PB01..HHZ", 2014, 121),
    ("sds", "2025/VG/OJN/EHZ.D/VG.OJN.00.EHZ.D.2025.075", "VG.OJN.00.EHZ", 2025, 75),
]
STATIONS = [
    ("UW/2019/187/ALCT.UW.2019.187", "UW", "ALCT", 2019, 187),
    ("CI/2019/187/ADO.CI.2019.187#2", "CI", "ADO", 2019, 187),
]


@pytest.mark.parametrize(("name", "path", "channel", "year", "day"), REAL, ids=str)
def test_real_keys_say_channel_and_day(name: str, path: str, channel: str, year: int, day: int) -> None:
    for named in (LAYOUTS[name].read(path), read_name(path.rpartition("/")[2])):
        assert named is not None
        assert (named.channel_of_all_codes, named.year, named.day) == (Channel.parse(channel), year, day)
    others = [layout for layout in LAYOUTS.values() if layout.name != name]
    assert all(layout.read(path) is None for layout in others)


@pytest.mark.parametrize(("path", "network", "station", "year", "day"), STATIONS)
def test_a_file_of_a_whole_station_names_no_channel(
    path: str, network: str, station: str, year: int, day: int
) -> None:
    named = LAYOUTS["earthscope"].read(path)
    assert named == Named(network=network, station=station, year=year, day=day)
    assert named.channel_of_all_codes is None
    assert read_name(path.rpartition("/")[2]) == named


@pytest.mark.parametrize("path", [path for _, path, *_ in REAL])
def test_folders_say_less_than_files_and_nothing_else(path: str) -> None:
    (layout,) = (LAYOUTS[name] for name, known, *_ in REAL if known == path)
    parts = path.split("/")
    assert len(parts) == layout.depth + 1
    whole = layout.read(path)
    assert whole is not None
    for depth in range(1, len(parts)):
        named = layout.read("/".join(parts[:depth]))
        assert named is not None
        for code in ("network", "station", "location", "channel", "year", "day"):
            assert getattr(named, code) in (None, getattr(whole, code))


@pytest.mark.parametrize(
    "name",
    [
        "CISDD__HHE___2016999.ms",  # there is no such day
        "CISDD_HHE___2016183.ms",  # a column too narrow
        "CX.PB01..HHZ.D.2014",
        "notes.txt",
        "",
    ],
)
def test_other_names_say_nothing(name: str) -> None:
    assert read_name(name) is None


def test_a_path_deeper_than_its_layout_is_of_another() -> None:
    assert LAYOUTS["ncedc"].read("BK/2022/2022.002/old/YUBA.BK.LHZ.00.D.2022.002") is None


codes = st.text("ABHZ", min_size=1, max_size=3)
patterns = st.text("ABHZ.*?", min_size=1, max_size=8)


@given(codes, codes, st.sampled_from(["", "00"]), st.sampled_from(["HHZ", "BHA", "LDI"]), patterns)
def test_no_folder_is_left_out_whose_files_are_wanted(
    network: str, station: str, location: str, channel: str, pattern: str
) -> None:
    wanted = Wanted(streams=(pattern,))
    file = Named(network=network, station=station, location=location, channel=channel)
    if wanted.admits(file):
        assert wanted.admits(Named(network=network))
        assert wanted.admits(Named(network=network, station=station))
        assert wanted.admits(Named(network=network, station=station, channel=channel))
    assert wanted.admits(Named())


@given(
    st.dates(dt.date(2019, 12, 1), dt.date(2021, 2, 1)), st.dates(dt.date(2019, 12, 1), dt.date(2021, 2, 1))
)
def test_days_are_wanted_with_their_neighbours(day: dt.date, other: dt.date) -> None:
    wanted = Wanted(day, day)
    named = Named(year=other.year, day=other.timetuple().tm_yday)
    assert wanted.admits(named) == (abs((day - other).days) <= 1)
    if wanted.admits(named):
        assert wanted.admits(Named(year=other.year))


def test_public_buckets_are_known_by_their_names() -> None:
    found = find_layout("s3://ncedc-pds/continuous_waveforms/BK/2022")
    assert found == (LAYOUTS["ncedc"], "BK/2022")
    assert find_layout("s3://ncedc-pds/FDSNstationXML") is None
    assert find_layout("s3://another/continuous_waveforms") is None
    assert find_layout("s3://another/sds", "sds") == (LAYOUTS["sds"], "")
    with pytest.raises(ConfigError, match="--layout sbs: should be one of sds, scedc"):
        find_layout("s3://another/sds", "sbs")


def test_layouts_have_a_place_for_everything() -> None:
    assert all(isinstance(layout, Layout) and layout.depth >= 2 for layout in LAYOUTS.values())
