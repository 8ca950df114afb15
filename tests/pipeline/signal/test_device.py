import subprocess
import sys

import pytest

from pipeline.errors import ConfigError
from pipeline.signal.device import resolve_device, threads


def test_auto_takes_a_gpu_where_there_is_one():
    import torch

    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


def test_a_gpu_that_is_not_there_is_refused():
    import torch

    absent = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(ConfigError, match=rf"device '{absent}' is not there: torch .* choose cpu or auto"):
        resolve_device(absent)


@pytest.mark.gpu
def test_a_gpu_that_is_there_is_taken():
    assert resolve_device("cuda:0") == "cuda:0"


@pytest.mark.parametrize("name", ["gpu", "cpu:0", "cuda:x", "cuda:-1", ""])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(ConfigError, match="device should be auto, cpu, cuda or cuda:NUMBER"):
        resolve_device(name)


def test_threads_come_back_even_after_an_error():
    import torch

    before = torch.get_num_threads()

    def fail():
        with threads(before + 1):
            assert torch.get_num_threads() == before + 1
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail()
    assert torch.get_num_threads() == before
    with pytest.raises(ConfigError, match="at least 1, got 0"), threads(0):
        pass


def test_importing_the_package_loads_nothing_heavy():
    code = """
import sys, pkgutil, importlib, pipeline.signal
for module in pkgutil.iter_modules(pipeline.signal.__path__):
    importlib.import_module(f"pipeline.signal.{module.name}")
print(sorted({"torch", "numba", "obspy", "matplotlib"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
