"""Files of metadata are known by what is in them, wherever they lie and whatever they are called."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from s3_server import S3
from station_documents import document

from pipeline.archive.metadata_files import read_metadata
from pipeline.archive.stations import read_stations
from pipeline.errors import ConfigError
from pipeline.objects import open_objects

XML = document(("HHZ", "2020-01-01T00:00:00", "", 0))
TEXT = b"CI|CCC||HHZ|35.5|-117.4|670|0|0|-90|CMG-3T|6.3e8|0.03|M/S|100|2013-05-07T00:00:00|"
RECORD = b"000001D AAA    HHZXX"


def channels(files):
    return [str(epoch.channel) for file in files for epoch in read_stations(file.stationxml).epochs]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "a.json").write_bytes(TEXT)
    (tmp_path / "deeper" / "b").write_bytes(b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a > b -->\n" + XML[21:])
    (tmp_path / "x.mseed").write_bytes(RECORD)
    (tmp_path / "README").write_text("read me")
    return tmp_path


def test_a_file_is_what_its_content_says(folder):
    for name, kind in (("a.json", "FDSN text"), ("deeper/b", "StationXML")):
        [file] = read_metadata(str(folder / name))
        assert (file.kind, file.url) == (kind, str(folder / name))


def test_a_folder_gives_all_metadata_below_it_and_says_what_else_there_is(folder):
    files = read_metadata(str(folder))
    assert channels(files) == ["CI.CCC..HHZ", "XX.AAA..HHZ"]
    assert files[0].notes[-1] == (
        f"left out README, x.mseed in {folder}: no StationXML, dataless SEED or FDSN text"
    )


def test_a_pattern_must_match_metadata_alone(folder):
    assert channels(read_metadata(f"{folder}/**/b")) == ["XX.AAA..HHZ"]
    with pytest.raises(ConfigError, match=r"x.mseed: is no StationXML.*it is miniSEED; name it as a SOURCE"):
        read_metadata(f"{folder}/*.mseed")


def test_a_name_with_signs_of_a_pattern_is_a_name(tmp_path):
    (tmp_path / "a[1].xml").write_bytes(XML)
    assert channels(read_metadata(f"{tmp_path}/a[1].xml")) == ["XX.AAA..HHZ"]


def test_urls_of_files_folders_and_patterns(s3: S3):
    s3.make_bucket("metadata")
    store = open_objects("s3://metadata/FDSNstationXML")
    store.write("CI/CI_SDD.xml", XML)
    store.write("CI/CI_CCC.txt", TEXT)
    store.write("CI/README", b"read me")
    root = "s3://metadata/FDSNstationXML"
    assert channels(read_metadata(f"{root}/CI/CI_SDD.xml")) == ["XX.AAA..HHZ"]
    assert channels(read_metadata(f"{root}/CI/*.txt")) == ["CI.CCC..HHZ"]
    for place in (root, f"{root}/", f"{root}/CI"):
        assert channels(read_metadata(place)) == ["CI.CCC..HHZ", "XX.AAA..HHZ"]
    for place in (f"{root}/CI/none.xml", "s3://nosuchbucket/a.xml", f"{root}/*.nothing"):
        with pytest.raises(ConfigError, match=r"^s3://"):
            read_metadata(place)


def test_what_a_web_service_answers():
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.path == "/fdsnws/station/1/query?net=CI&level=channel&format=text"
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(TEXT)))
            self.end_headers()
            self.wfile.write(TEXT)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/fdsnws/station/1/query"
        assert channels(read_metadata(f"{url}?net=CI&level=channel&format=text")) == ["CI.CCC..HHZ"]
        with pytest.raises(ConfigError, match=r"^http://.*/query\?net=XX: No such file or directory$"):
            read_metadata(f"{url}?net=XX")
        server.shutdown()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\n\n", "it is empty"),
        (b"code,latitude\nCCC,1", "it begins with 'code,latitude'"),
        (RECORD, "it is miniSEED; name it as a SOURCE"),
        (b"MS\x03\x04", "it is miniSEED"),
        (b"#\n#\t\t<< IRIS >>\nB050F03     Station:     RJOB", "it is RESP, which says nothing of places"),
        (b"<?xml version='1.0'?><seiscomp xmlns='x'>", "it is SeisComP's own XML; export StationXML instead"),
        (b"<!DOCTYPE html><html>", "it is a web page"),
        (gzip.compress(XML), "it is compressed; unpack it first"),
        (b"000001V 011  21  1APE", "it is SEED, but does not begin with the header of a volume"),
        (XML[:-20], "a document of .* bytes is no XML"),
        (XML.replace(b"2020-01-01", b"20-xx-01"), "HHZ: startDate should be a time"),
        (XML.replace(b"<Latitude>10", b"<Latitude>ten"), "StationXML of .* bytes can't be read: .*ten"),
        (XML.replace(b'code="HHZ"', b'code="H/Z"'), "code 'H/Z' may hold letters"),
        (TEXT.replace(b"35.5", b"95.5"), "line 1: latitude should be a number from -90 to 90"),
        (b"000001V 0100094 02.1123", "dataless SEED of 23 bytes can't be read: "),
    ],
)
def test_what_is_broken_or_foreign_is_one_line_with_the_file(content: bytes, said: str, tmp_path: Path):
    path = tmp_path / "stations.xml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as raised:
        read_metadata(str(path))
    assert str(raised.value).startswith(f"{path}: ")


def test_where_there_is_nothing(tmp_path):
    (tmp_path / "empty").mkdir()
    for place in ("", f"{tmp_path}/empty"):
        with pytest.raises(ConfigError, match=r"should name a file|there is no file in it"):
            read_metadata(place)
    (tmp_path / "README").write_text("read me")
    for place, said in (
        ("none.xml", "none.xml: No such file or directory"),
        ("*.xml", r"\*.xml: no file matches"),
        ("", "holds README, but no StationXML, dataless SEED or FDSN text"),
    ):
        with pytest.raises(ConfigError, match=said):
            read_metadata(f"{tmp_path}/{place}")
