"""Products: immutable files, named by what they depend on."""

import datetime as dt
import pickle
from pathlib import Path

import pytest

from pipeline.objects import open_objects
from workflows.ledger import DayRecord, Status
from workflows.plan import Task
from workflows.product import Product


@pytest.fixture
def product(tmp_path: Path) -> Product:
    return Product.of(open_objects(tmp_path), "pick", {"threshold": 0.3})


def test_layout(tmp_path: Path, product: Product) -> None:
    task = Task.of("CI.CCC..HH/2020.03", days=["5f0c"])
    assert product.write(task, b"PAR1") == 4
    (folder,) = (tmp_path / "products").iterdir()
    assert folder.name == "pick-67887ff8"
    assert (folder / f"CI.CCC..HH/2020.03.{task.fingerprint[:12]}.parquet").read_bytes() == b"PAR1"
    assert product.read(task.key, task.fingerprint) == b"PAR1"


def test_other_options_another_folder_other_inputs_another_file(tmp_path: Path, product: Product) -> None:
    other = Product.of(open_objects(tmp_path), "pick", {"threshold": 0.5})
    assert other.store.url != product.store.url
    for days in (["5f0c"], ["99aa"]):
        product.write(Task.of("CI.CCC..HH/2020.03", days=days), b"PAR1")
    assert len(list(product.store.list())) == 2


def test_files_are_the_current_ones(product: Product) -> None:
    old, new, bad, lost = (
        Task.of("CI.A..HH/2020.01", days=["1"]),
        Task.of("CI.A..HH/2020.01", days=["2"]),
        Task.of("CI.B..HH/2020.01", days=["1"]),
        Task.of("CI.C..HH/2020.01", days=["1"]),
    )
    with product.lease() as lease, product.ledger(lease) as ledger:
        ledger.record(old.result())
        ledger.record(new.result())
        ledger.record(bad.result(status=Status.FAILED))
        ledger.record(lost.result([DayRecord(dt.date(2020, 1, 1), Status.LOST)]))
    assert sorted(product.files()) == [(t.key, product.name(t.key, t.fingerprint)) for t in (new, lost)]


def test_it_travels_to_workers(product: Product) -> None:
    again = pickle.loads(pickle.dumps(product))
    task = Task("CI.CCC..HH/2020.03", "5f0c")
    again.write(task, b"there")
    assert product.read(task.key, task.fingerprint) == b"there"
