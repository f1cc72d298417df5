import re
import unicodedata

import pytest
from html_tree import parse_markdown
from hypothesis import example, given
from hypothesis import strategies as st

from foldwise.report import formats
from foldwise.report.formats import WORD_JOINER, visible, visible_lines

anything = st.text(st.characters(exclude_categories=()))


def is_noncharacter(character):
    return 0xFDD0 <= ord(character) <= 0xFDEF or ord(character) & 0xFFFE == 0xFFFE


@example("a\ufdd0b\ufffe\uffff\U0001fffe\U0010ffff")
@given(anything)
def test_visible_text_is_one_line_of_visible_characters(text):
    seen = visible(text)
    assert len(seen.splitlines()) <= 1
    assert not [each for each in seen if unicodedata.category(each) in ("Cc", "Cs")]
    assert not any(map(is_noncharacter, seen))
    directions = {unicodedata.bidirectional(each) for each in seen}
    assert not directions & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert seen == visible(seen) == seen.strip()
    seen.encode()  # no surrogate


@given(st.text("abc é日م|<&"))
def test_letters_and_punctuation_stay(text):
    assert visible(f"a{text}") == " ".join(f"a{text}".split())


def test_invisible_characters_are_replaced():
    assert visible("a\x00b\u202ec\n d\x85\u2028e") == "a�b�c d e"
    assert visible("a\ufdd0b\ufdefc\U0003ffff") == "a�b�c�"
    assert visible(" \n") == "�"
    assert visible("") == ""


@given(anything)
def test_lines_stay_lines(text):
    lines = text.split("\n")
    seen = visible_lines(text).split("\n")
    assert [len(line) for line in seen] == [len(line) for line in lines]


def test_markup_is_escaped():
    assert formats.markdown("a|b *c* _d_ `e` <f> [g](h) # ~i~ \\") == (
        r"a\|b \*c\* \_d\_ \`e\` \<f\> \[g\](h) \# \~i\~ " + "\\\\"
    )


def test_one_thing_is_not_all_of_one():
    assert formats.shown_of(1, 1, "pair") == "The only pair"
    assert formats.shown_of(2, 2, "pair") == "All 2 pairs"
    assert formats.shown_of(20, 2000, "image") == "The first 20 images"


@pytest.mark.parametrize("text", ["@person", "fix #12", ":cat:", "http://a.b", "www.a.b", "a@b.c"])
def test_github_makes_no_link_of_plain_text(text):
    assert re.search(rf"[@#:w]{WORD_JOINER}", formats.inline(text))


@pytest.mark.parametrize("text", ["1. a", "12) a", "- a", "+ a", "===", "-0.5", "1.5"])
def test_text_at_the_start_of_a_line_begins_no_list(text):
    page = parse_markdown(f"first\n{formats.markdown(text)}")
    assert page.shape == ("", [("p", [])])
    assert page.text.split("\n")[1] == text


@pytest.mark.parametrize("text", ["a", "a|b", "`", "a``b", "<b>"])
def test_code_shows_its_text(text):
    page = parse_markdown(f"x {formats.code(text)} y")
    assert [node.text for node in page.all("code")] == [text]


def test_text_between_backticks_is_code():
    text = "Try `dvc repro` *now*; a ` alone."
    assert formats.with_code(text) == r"Try `dvc repro` \*now\*; a \` alone."


@given(anything)
def test_a_fenced_text_is_one_code_block(text):
    page = parse_markdown(formats.fenced(text, "yaml"))
    assert page.shape == ("", [("pre", [("code", [])])])
    assert page.text.rstrip("\n") == visible_lines(text).rstrip("\n")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (formats.short(188_202), "188 k"),
        (formats.short(2_325_002), "2.33 M"),
        (formats.short(999_600), "1 M"),
        (formats.memory(583_900_000), "584 MB"),
        (formats.percent(0.0523), "5.2 %"),
        (formats.score(None), "–"),
        (formats.change(0.5), "+0.5000"),
        (formats.probability(0.0001), "< 0.001"),
        (formats.probability(0.9999), "> 0.999"),
        (formats.probability(1), "1.000"),
        (formats.seconds(1234.5), "1,234"),
        (formats.count(1, "image"), "1 image"),
        (formats.count(12_000, "image"), "12,000 images"),
        (formats.shape([3, 32, 32]), "3×32×32"),
    ],
)
def test_numbers_are_short(shown, expected):
    assert shown == expected
