import pytest
from page_sections import put_section

PAGE = "# Title\n\nAbout.\n\n## A\n\n### Part\n\n1\n\n## B\n\n2\n"


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("## A\n\n3", "# Title\n\nAbout.\n\n## A\n\n3\n\n## B\n\n2\n"),
        ("## B\n\n3\n\n", "# Title\n\nAbout.\n\n## A\n\n### Part\n\n1\n\n## B\n\n3\n"),
        ("## C\n\n3\n", PAGE + "\n## C\n\n3\n"),
        ("## Part\n\n3\n", PAGE + "\n## Part\n\n3\n"),
    ],
)
def test_a_section_takes_the_place_of_its_own_kind_alone(section: str, expected: str) -> None:
    assert put_section(PAGE, section) == expected
    assert put_section(expected, section) == expected


def test_a_page_may_have_nothing_but_its_title() -> None:
    assert put_section("# Title", "## A\n\n1") == "# Title\n\n## A\n\n1\n"
