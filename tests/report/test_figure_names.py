import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldwise.report.figures.names import class_names, drawable, shorten
from foldwise.report.figures.style import as_svg, words


@given(st.text(), st.integers(3, 50))
def test_a_short_name_stays_and_a_long_one_loses_its_middle(text, longest):
    short = shorten(text, longest)
    if len(text) <= longest:
        assert short == text
    else:
        head, tail = short.split("…", 1) if "…" not in text else (short[:1], short[-1:])
        assert len(short) == longest
        assert text.startswith(head)
        assert text.endswith(tail)


@given(st.lists(st.text(), unique=True, max_size=8), st.integers(3, 8))
def test_no_two_classes_look_alike(classes, longest):
    shown = class_names(classes, longest)
    assert len(set(shown)) == len(classes)


@given(st.text())
def test_every_text_becomes_one_line_of_glyphs_that_there_are(text):
    line = drawable(text)
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(one) == "Cf" for one in line)
    assert drawable(line) == line.strip() or line != line.strip()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat", "cat"),
        ("你好", "0: □□"),
        ("a\nb", "0: a b"),
        ("abcdefghijk", "0: abcd…ijk"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}tac", "0: tac"),
        ("7: cat", "0: 7: cat"),
        ("", ""),
    ],
)
def test_a_class_that_is_not_shown_whole_has_its_number(name, shown):
    assert class_names([name], 8) == [shown]


def test_a_missing_glyph_is_no_warning():
    assert "svg" in as_svg(lambda: words(drawable("你\N{ZERO WIDTH JOINER}好 \x00 \U0010ffff")))
