"""Listing: the wanted files of a disk and of a bucket, and nothing asked twice."""

import datetime as dt
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from s3_server import S3, Spoil

from pipeline.archive.layouts import Wanted
from pipeline.archive.listing import Listings, find_files, read_listings, write_listings
from pipeline.errors import ConfigError
from pipeline.objects import open_objects

TODAY = dt.date(2022, 1, 20)
ROOT = "s3://scedc-pds/continuous_waveforms"
STATIONS = ("CIFOX2_LHZ__", "CINCH__LHZ__", "BKTHIS_LHZ00")
DAYS = [
    ("2021", "2021_300"),
    ("2021", "2021_365"),
    ("2022", "2022_001"),
    ("2022", "2022_002"),
    ("2022", "2022_010"),
]


@pytest.fixture(scope="module")
def scedc(s3: S3) -> S3:
    """The bucket of the SCEDC, as far as names go."""
    s3.make_bucket("scedc-pds")
    store = open_objects(ROOT)
    for year, folder in DAYS:
        for station in STATIONS:
            store.write(f"{year}/{folder}/{station}_{folder.replace('_', '')}.ms", b"x")
    store.write("2022/readme.txt", b"x")
    open_objects("s3://scedc-pds").write("FDSNstationXML/CI/CI_FOX2.xml", b"x")
    return s3


def listed(s3: S3) -> list[str]:
    """Return the folders that were listed, and forget them."""
    queries = [parse_qs(urlsplit(path).query) for method, path in s3.requests if method == "GET"]
    s3.requests.clear()
    return [
        query["prefix"][0].removeprefix("continuous_waveforms/") for query in queries if "prefix" in query
    ]


def names(*roots: str, wanted: Wanted | None = None, **options: object) -> list[str]:
    found = find_files(roots, wanted=wanted, **options)  # type: ignore[arg-type]
    return [source.url.rpartition("/")[2] for source in found]


def test_a_bucket_with_a_layout_is_listed_only_where_the_wanted_can_lie(scedc: S3) -> None:
    listed(scedc)
    wanted = Wanted(dt.date(2022, 1, 2), dt.date(2022, 1, 2), ("CI.*",))
    assert names(ROOT, wanted=wanted) == ["CIFOX2_LHZ___2022001.ms", "CINCH__LHZ___2022001.ms",
                                          "CIFOX2_LHZ___2022002.ms", "CINCH__LHZ___2022002.ms"]  # fmt: skip
    assert listed(scedc) == ["", "2022/", "2022/2022_001/", "2022/2022_002/"]


def test_a_folder_within_a_layout_is_known_too(scedc: S3) -> None:
    assert len(names(f"{ROOT}/2021")) == 6
    assert len(names(f"{ROOT}/2021/2021_300", wanted=Wanted(streams=("BK.*",)))) == 1
    with pytest.raises(ConfigError, match="'FDSN' is no folder of the layout scedc"):
        names(f"{ROOT}/FDSN")


def test_long_past_days_are_listed_once(scedc: S3) -> None:
    listings = Listings(TODAY)
    first = list(find_files([ROOT], listings=listings))
    assert len(first) == 15
    listed(scedc)
    again = read_listings(write_listings(listings), TODAY)
    assert again == Listings(TODAY, listings.known)
    assert list(find_files([ROOT], listings=again)) == first
    recent = ["2021/2021_365/", "2022/2022_001/", "2022/2022_002/", "2022/2022_010/"]
    assert listed(scedc) == ["", "2021/", recent[0], "2022/", *recent[1:]]
    assert not again.new


def test_a_folder_that_may_not_be_listed_is_a_file_that_can_not_be_read(scedc: S3) -> None:
    listings = Listings(TODAY)
    with scedc.spoiled(Spoil("2021_300", 403)):
        found = list(find_files([ROOT], listings=listings))
    assert [(source.url, source.size) for source in found if source.size < 0] == [
        (f"{ROOT}/2021/2021_300", -1)
    ]
    assert len(found) == 13
    assert not listings.known


def test_any_bucket_is_listed_whole_or_by_a_pattern(s3: S3) -> None:
    url = s3.make_bucket("any-bucket")
    store = open_objects(url)
    keys = ("a/1.mseed", "a/b/2.mseed", "a/b/.hidden", "a/notes.txt", "old.zarr/zarr.json", "old.zarr/c/0")
    for key in (*keys, "ein Ort/Größe 1.mseed"):
        store.write(key, b"x")
    assert names(url) == ["1.mseed", "2.mseed", "Größe 1.mseed"]
    assert names(f"{url}/a") == ["1.mseed", "2.mseed"]
    assert names(f"{url}/a/*.mseed") == ["1.mseed"]
    assert names(f"{url}/**/*.mseed") == ["1.mseed", "2.mseed", "Größe 1.mseed"]
    assert names(f"{url}/a/1.mseed", f"{url}/a") == ["1.mseed", "2.mseed"]
    for nothing in (f"{url}/nothing", "s3://no-such-bucket/a"):
        with pytest.raises(ConfigError, match="no such file or folder"):
            names(nothing)


def test_a_local_tree_has_a_layout_where_one_is_given(tmp_path: Path) -> None:
    for channel, day in (("HHZ", 61), ("HHZ", 70), ("LHZ", 61)):
        folder = tmp_path / "2020" / "CX" / "PB01" / f"{channel}.D"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"CX.PB01..{channel}.D.2020.{day:03d}").write_bytes(b"x")
    wanted = Wanted(dt.date(2020, 3, 1), dt.date(2020, 3, 1), ("CX.PB01..HH",))
    found = list(find_files([str(tmp_path)], wanted=wanted, layout="sds"))
    assert [Path(source.url).name for source in found] == ["CX.PB01..HHZ.D.2020.061"]
    everything = {source.url: source for source in find_files([str(tmp_path)])}
    assert everything[found[0].url] == found[0]
