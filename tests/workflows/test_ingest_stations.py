"""``stationday ingest --stations``: metadata of all kinds end up in the archive, or in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from miniseed_files import records
from s3_server import S3
from station_documents import FILTERED, GAIN, document

from pipeline.archive.reading import open_archive
from pipeline.keys import Channel
from pipeline.objects import open_objects
from workflows import runners
from workflows.cli import main
from workflows.ingest import job

HHZ = Channel.parse("XX.AAA..HHZ")
TIME_NS = 1_600_000_000 * 10**9
TEXT = "XX|AAA||HHZ|10|20|30|1|0|-90|S|2.0|1|M/S|100|2020-01-01T00:00:00|\n"
TEXT += "XX|BBB||HHZ|11|21|31|1|0|-90|S|2.0|1|M/S|100|2020-01-01T00:00:00|\n"


@pytest.fixture
def ingest(tmp_path: Path):
    data = records(np.arange(1000, dtype=np.int32), TIME_NS, 100.0, channel="XX.AAA..HHZ")
    (tmp_path / "a.mseed").write_bytes(data)
    archive = str(tmp_path / "a.zarr")

    def run(*stations: str, options: tuple[str, ...] = ()) -> int:
        given = [word for each in stations for word in ("--stations", each)]
        call = ["ingest", str(tmp_path / "a.mseed"), "--archive", archive, "--cluster", "serial"]
        return main([*call, *given, *options])

    run.archive = archive
    return run


def test_text_first_and_stationxml_later(ingest, tmp_path, capsys):
    (tmp_path / "all.txt").write_text(TEXT)
    (tmp_path / "a.xml").write_bytes(document(("HHZ", "2020-01-01T00:00:00", "", 0, FILTERED)))
    assert ingest(str(tmp_path / "all.txt")) == 0
    said = capsys.readouterr().err
    told = "metadata: text states overall sensitivities alone: a response is that gain"
    assert f"note: {tmp_path}/all.txt: {told}" in said
    gain = open_archive(ingest.archive).stations.response(HHZ, TIME_NS)
    np.testing.assert_allclose(gain.evaluate([0.1, 10.0]), 2.0)
    assert ingest(str(tmp_path / "a.xml")) == 0
    assert "metadata" not in capsys.readouterr().err
    stations = open_archive(ingest.archive).stations
    assert [stage.gain for stage in stations.response(HHZ, TIME_NS).stages] == [3.0]
    assert [str(channel) for channel in stations.channels] == ["XX.AAA..HHZ", "XX.BBB..HHZ"]
    assert ingest(str(tmp_path / "all.txt")) == 0
    assert "metadata: 1 of 2 channel epochs are kept as another document has them" in capsys.readouterr().err
    assert open_archive(ingest.archive).stations == stations


def test_a_folder_and_a_bucket(ingest, tmp_path, s3: S3):
    s3.make_bucket("pds")
    open_objects("s3://pds/FDSNstationXML").write("XX/XX_AAA.xml", document(("HHZ", "2020-01-01", "", 7)))
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "b.txt").write_text(TEXT.splitlines()[1])
    assert ingest("s3://pds/FDSNstationXML/XX/XX_AAA.xml", str(tmp_path / "meta")) == 0
    stations = open_archive(ingest.archive).stations
    assert [epoch.azimuth_deg for epoch in stations.epochs] == [7.0, 0.0]


def test_notes_are_in_the_json(ingest, tmp_path, capsys):
    (tmp_path / "all.txt").write_text(TEXT)
    assert ingest(str(tmp_path / "all.txt"), options=("--json",)) == 0
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["reason"], problem["lost"]) == ("metadata", False)


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_what_is_broken_is_one_line_and_touches_nothing(ingest, tmp_path, capsys, options):
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(document(("HHZ", "2020-01-01T00:00:00", "", 0, GAIN)))
    bad.write_bytes(good.read_bytes()[:-30])
    assert ingest(str(good), str(bad), options=options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"stationday: --stations {bad}: a document of ")
    assert err.count("\n") == 1
    assert not Path(ingest.archive).exists()


def test_new_metadata_are_held_against_all_that_the_archive_has(ingest, tmp_path, capsys):
    late = tmp_path / "late.xml"
    late.write_bytes(document(("HHZ", "2020-09-13T12:26:45", "", 0, GAIN)))
    assert ingest(options=("--quiet",)) == 0
    assert capsys.readouterr().err == ""
    told = "samples from 2020-09-13T12:26:40.000Z to 2020-09-13T12:26:44.990Z lie outside its epoch"
    assert ingest(str(late), options=("--quiet",)) == 0
    assert capsys.readouterr().err == f"note: XX.AAA..HHZ: no metadata: {told}\n"
    assert ingest(str(late), options=("--quiet",)) == 0
    assert capsys.readouterr().err == ""
    early = tmp_path / "early.xml"
    early.write_bytes(document(("HHZ", "2020-01-01T00:00:00", "2020-09-13T12:26:45", 0, GAIN)))
    assert ingest(str(early), options=("--quiet",)) == 0
    assert capsys.readouterr().err == ""


def test_a_block_that_fails_beside_metadata(ingest, tmp_path, capsys, monkeypatch):
    """It has no table, in which one could look for samples without an epoch."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    (tmp_path / "all.txt").write_text(TEXT)
    monkeypatch.setattr(runners.time, "sleep", lambda _: None)
    monkeypatch.setattr(job, "assemble_block", fail)
    assert ingest(str(tmp_path / "all.txt"), options=("--quiet",)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["note", "lost"]
