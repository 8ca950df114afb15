"""The page on clusters: its examples load, and no key is forgotten."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from cluster.load import load_profile, parse_profile
from cluster.profile import KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL))
def test_examples_load(text: str) -> None:
    parse_profile(tomllib.loads(text))


@pytest.mark.parametrize("kind", KINDS)
def test_all_keys_are_listed(kind: str) -> None:
    section = PAGE.partition(f'**`kind = "{kind}"`**')[2].partition("**`kind")[0].partition("\n## ")[0]
    first_cells = re.findall(r"^\| (.*?) \|", section, flags=re.MULTILINE)
    listed = re.findall(r"`(\w+)`", " ".join(first_cells))
    assert sorted(listed) == sorted(field.name for field in fields(KINDS[kind]))


def test_short_forms_load() -> None:
    forms = re.findall(r"`([^`]+)`", PAGE.partition("| PROFILE |")[2].partition("\n\n")[0])
    for form in forms:
        if not form.endswith(".toml"):
            load_profile(form)
    assert len(forms) == 6


def test_walltime_example_is_right() -> None:
    profile = parse_profile({"kind": "slurm", "cores": 1, "memory": "1 GB", "walltime": "04:00:00"})
    earliest = profile.lifetime_s - profile.lifetime_stagger_s
    latest = profile.lifetime_s + profile.lifetime_stagger_s
    assert (earliest // 60, latest // 60) == (3 * 60 + 37, 3 * 60 + 45)
