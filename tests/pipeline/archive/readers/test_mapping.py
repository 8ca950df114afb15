"""The map: what it may say, and that its rules come back from text as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.readers.mapping import ColumnRule, CsvRule, SourceMap, SourceRule, load_map, parse_rule
from pipeline.errors import ConfigError

TOML = """
[[sources]]
match = "*/G01/*.ggp"
undefined = [-999]

[[sources.columns]]
column = "gravity"
channel = "NG.G01..LGZ"
unit = "V"
calibration = -784.22
delay_s = 8.4

[[sources]]
match = "*.csv"
csv = { time = "%s", separator = ";" }
columns = [{ column = "1", channel = "NG.G01..LDI" }]
"""
COLUMN = ColumnRule(column="1", channel="NG.G01..LDI")
FINITE = st.floats(allow_nan=False, allow_infinity=False).filter(bool)


def test_the_first_rule_that_matches_holds(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(TOML)
    for mapping in (load_map(TOML), load_map(path)):
        rule = parse_rule(mapping.rule_for("/data/G01/2016/x.ggp"))
        assert rule == mapping.sources[0]
        assert rule.columns[0].calibration == -784.22
        assert rule.undefined == (-999.0,)
        assert parse_rule(mapping.rule_for("/data/G01/x.csv")) == mapping.sources[1]
        assert mapping.rule_for("/data/G02/x.ggp") == ""
    assert parse_rule("") is None


def test_the_page_shows_maps_that_load() -> None:
    page = (Path(__file__).parents[4] / "docs" / "sources.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    assert [rule.match for rule in load_map(example).sources] == ["*/G01/*.ggp", "*/weather/*.csv", "*.sac"]


@given(FINITE, FINITE, st.text(max_size=20), st.lists(FINITE, max_size=3))
def test_a_rule_comes_back_from_text(
    calibration: float, delay_s: float, unit: str, undefined: list[float]
) -> None:
    column = ColumnRule(
        column='a "b"\\c', channel="NG.G01..LGZ", calibration=calibration, delay_s=delay_s, unit=unit
    )
    rule = SourceRule(match="*[ab]?", columns=(column, COLUMN), undefined=tuple(undefined), csv=CsvRule())
    assert parse_rule(SourceMap(sources=(rule,)).rule_for("xaz")) == rule


@pytest.mark.parametrize(
    ("before", "after", "match"),
    [
        ("NG.G01..LGZ", "G01", r"sources\[0\].columns\[0\]: channel 'G01' should have four parts"),
        ("NG.G01..LGZ", "NG.G 1..LGZ", "station code 'G 1'"),
        ("-784.22", "0", "calibration is 0"),
        ("-784.22", "nan", "calibration is nan"),
        ("8.4", "inf", "delay_s is inf"),
        ('column = "gravity"', 'column = ""', 'column is ""'),
        ("delay_s", "delay", "did you mean delay_s"),
        ("-784.22", '"V"', 'calibration is "V", but should be a number'),
        ("%s", "%H", "should give a date"),
        ('[{ column = "1", channel = "NG.G01..LDI" }]', "[]", "columns is empty"),
        (
            '[{ column = "1", channel = "NG.G01..LDI" }]',
            '[{ column = "1", channel = "NG.G01..LDI" }, { column = "1", channel = "NG.G01..LDO" }]',
            "column '1' stands there twice",
        ),
    ],
)
def test_what_is_wrong_is_said(before: str, after: str, match: str) -> None:
    assert before in TOML
    with pytest.raises(ConfigError, match=match):
        load_map(TOML.replace(before, after, 1))
