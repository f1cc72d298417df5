import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from foldwise.report.visible import visible, visible_lines

anything = st.text(st.characters(exclude_categories=()))


@given(anything)
def test_text_is_on_one_line_without_what_is_not_seen(text):
    seen = visible(text)
    assert len(seen.splitlines()) <= 1
    assert not [one for one in seen if unicodedata.category(one) in ("Cc", "Cs")]
    directions = {unicodedata.bidirectional(one) for one in seen}
    assert not directions & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert seen == visible(seen) == seen.strip()
    seen.encode()  # no half of a character


@given(st.text("abc é日م|<&"))
def test_letters_and_signs_stay_as_they_are(text):
    assert visible(f"a{text}") == " ".join(f"a{text}".split())


def test_what_is_not_seen_leaves_a_trace():
    assert visible("a\x00b\u202ec\n d\x85\u2028e") == "a�b�c d e"
    assert visible(" \n") == "�"
    assert visible("") == ""


@given(anything)
def test_lines_stay_lines(text):
    lines = text.split("\n")
    seen = visible_lines(text).split("\n")
    assert len(seen) == len(lines)
    assert [len(line) for line in seen] == [len(line) for line in lines]
