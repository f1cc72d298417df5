import re

from hypothesis import given
from hypothesis import strategies as st

from stages.report.markdown import bullets, escape, section, table, unbroken


def test_markup_shows_as_it_is():
    assert escape("a|b *c* _d_ `e` <f> [g](h) # ~i~ \\") == (
        r"a\|b \*c\* \_d\_ \`e\` \<f\> \[g\](h) \# \~i\~ " + "\\\\"
    )


@given(st.text())
def test_no_text_breaks_a_table_cell(text):
    cell = escape(text)
    assert len(cell.splitlines()) <= 1
    assert not re.search(r"(?<!\\)(\\\\)*[|`<*_\[]", cell)


@given(st.text(alphabet="ab|`<*_[\\"))
def test_taking_the_backslashes_away_gives_the_text_back(text):
    assert re.sub(r"\\(.)", r"\1", escape(text)) == text


def test_table_puts_numbers_to_the_right():
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_unbroken_text_has_no_space_to_break_at():
    assert unbroken("0.1 … 0.2") == "0.1\N{NO-BREAK SPACE}…\N{NO-BREAK SPACE}0.2"


def test_empty_paragraphs_are_left_out():
    assert section("T", "one", "", bullets(["a", "b"])) == "## T\n\none\n\n- a\n- b"
