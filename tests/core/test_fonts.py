import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.figure import Figure

from foldwise.core import fonts
from foldwise.core.fonts import FONT, drawable, font_families, font_hint

NO_FONT = "\ufdd0"  # never a character


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a font that has one character, beside a broken font; nothing else is installed."""
    pen = TTGlyphPen(None)
    for move, place in ((pen.moveTo, (0, 0)), (pen.lineTo, (500, 0)), (pen.lineTo, (0, 700))):
        move(place)
    pen.closePath()
    glyph, names = pen.glyph(), [".notdef", "cat"]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord("猫"): "cat"})
    font.setupGlyf(dict.fromkeys(names, glyph))
    font.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Cats", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(tmp_path / "cats.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"broken")
    monkeypatch.setattr(font_manager, "X11FontDirectories", [str(tmp_path)])
    monkeypatch.setattr(font_manager, "_get_fontconfig_fonts", list)
    manager = font_manager.fontManager
    monkeypatch.setattr(manager, "ttflist", list(manager.ttflist))
    caches = [fonts._installed_font, fonts._paths, fonts._load]
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_what_no_font_has_is_a_box_and_named_with_a_font_to_install(installed):
    assert drawable(f"猫 犬{NO_FONT}") == "猫 □□"
    hint = font_hint(["a猫", "犬", f"ก{NO_FONT}\n"])
    assert "no font has ก犬; " in hint
    assert "install Noto Sans Thai and Noto Sans CJK" in hint
    assert font_hint(["cat", "Käse", "Кот", "猫", ""]) == ""


def test_installed_fonts_draw_what_the_usual_font_lacks(installed):
    assert font_families(["cat", "Кот"]) == [FONT]
    families = font_families(["cat", "猫"])
    assert families == [FONT, "Cats"]
    figure = Figure()
    figure.text(0, 0, "cat 猫", fontfamily=families)
    figure.canvas.draw()  # a missing glyph would be a warning, which is an error
