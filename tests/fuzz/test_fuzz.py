"""The fuzzer for a moment; `make fuzz` runs it for a quarter of an hour."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).with_name("fuzz.py")


@pytest.mark.slow
def test_a_minute_of_damage() -> None:
    command = [sys.executable, str(FUZZ), "--seconds", "60", "--seed", "7"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "\n0 findings\n" in ran.stdout
