"""Whatever a text holds, it stays text."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.report.markup import check_link, clean, data_block, element, escape, number_text


class Reader(HTMLParser):
    """Reads a page as a browser does: what is text, what an element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(st.text(st.characters(exclude_categories=())))
def test_text_comes_back_as_text(text: str) -> None:
    reader = read(element("p", {"title": text}, escape(text)))
    assert reader.tags == ["p"]
    assert reader.text.replace("\r\n", "\n") == clean(text).replace("\r\n", "\n")
    assert reader.attributes == [("title", clean(text))]


@given(st.text(st.characters(exclude_categories=())))
def test_data_come_back_and_stay_inside(text: str) -> None:
    block = data_block("a", {"name": text})
    inside = block.removeprefix('<script type="application/json" id="a">').removesuffix("</script>")
    # JSON has its own way to write controls and halves of pairs; what is left of them is replaced.
    assert clean(json.loads(inside)["name"]) == clean(text)
    assert "<" not in inside
    assert "&" not in inside
    inside.encode("utf-8")


def test_data_know_no_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        data_block("a", {"value": float("nan")})


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "//elsewhere.org/x",
        "https://a.org/ b",
        'https://a.org/"onclick="x',
        "",
    ],
)
def test_link_that_could_act_is_refused(target: str) -> None:
    with pytest.raises(ConfigError, match="should begin with"):
        check_link(target)


@pytest.mark.parametrize(
    "target", ["https://doi.org/10.1785/x_(y)", "#a", "report.html", "figures/a b.png"[:9]]
)
def test_link_that_leads_somewhere_passes(target: str) -> None:
    assert check_link(target) == target


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [(None, 1, "–"), (float("inf"), None, "–"), (-0.04, 1, "0.0"), (-2.0, 0, "−2"), (1e-7, None, "1e−07")],
)
def test_number_is_written(value: float | None, digits: int | None, written: str) -> None:
    assert number_text(value, digits) == written
