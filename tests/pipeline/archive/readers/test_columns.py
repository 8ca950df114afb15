"""Rows to segments, where their times say little."""

from __future__ import annotations

from pipeline.archive.readers import load_map, open_source, parse_rule

MAP = load_map(
    """
    [[sources]]
    match = "*.csv"
    csv = { time = "%Y-%m-%dT%H:%M:%S", separator = ";", header_lines = 1 }
    columns = [{ column = "gravity", channel = "XX.TEXT..LGZ" }]
    """
)


def test_two_steps_of_which_one_is_years() -> None:
    """Their median lay between them, near neither: nothing told the step, with a warning of numpy's."""
    rows = b"time;gravity\n2020-03-03T00:00:00;1.5\n2020-03-03T00:00:01;2.5\n2024-03-03T00:00:02;3.5\n"
    file = open_source(rows, "a.csv", parse_rule(MAP.rule_for("a.csv")))
    pieces, problems = file.read(-(2**62), 2**62)
    assert (list(file.content.problems), problems) == ([], [])
    assert [(piece.samples.tolist(), piece.rate_hz) for piece in pieces] == [([1.5, 2.5], 1.0), ([3.5], 1.0)]
