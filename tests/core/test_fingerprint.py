import ast
import io
import keyword
import tokenize
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldwise.core import fingerprint as module_under_test
from foldwise.core.errors import InputError
from foldwise.core.fingerprint import fingerprint, imported_modules, parsed_once
from foldwise.files.base import write_json

FILES = Path(__file__).parents[2] / "foldwise" / "files"
TRICKY = '''"""Docstring # with a hash."""
from a import (
    b,  # why b
    c,
)


class Étude: "doc"; x: "int" = 1


async def f(a, b="#"):
    "é"; y = f"{a!r:>{b}} # é {{}}" rf'{a}\\d'
    """Not a docstring."""
    text = """one

    two # no comment   
    """ + 'joined ' \\
        'é'
    if a:
        # only a comment
        return text[1:2]

    return lambda: {"a": "b"}
'''  # noqa: W291
MODULES = [path for path in sorted(FILES.glob("*.py")) if path.name != "__init__.py"]
SOURCES = [TRICKY, *(path.read_text(encoding="utf-8") for path in MODULES)]

sources = st.sampled_from(SOURCES)
comments = st.from_regex(r"[^\n\r\f\0]{0,20}", fullmatch=True)


def tokens_of(source, *types):
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token for token in tokens if token.type in types]


def replace(source, token, text):
    lines = source.split("\n")
    (row, column), (last, end) = token.start, token.end
    lines[row - 1 : last] = [lines[row - 1][:column] + text + lines[last - 1][end:]]
    return "\n".join(lines)


@settings(deadline=None)
@given(sources, st.data())
def test_comments_and_blank_lines_do_not_count(source, data):
    ends = tokens_of(source, tokenize.NEWLINE, tokenize.NL)
    token = data.draw(st.sampled_from(ends))
    text = f"  # {data.draw(comments)}\n" + "\n" * data.draw(st.integers(0, 2))
    row, column = token.start
    lines = source.split("\n")
    lines[row - 1] = lines[row - 1][:column] + text.removesuffix("\n")
    assert fingerprint("\n".join(lines)) == fingerprint(source)


def test_docstrings_do_not_count():
    source = TRICKY.replace("Docstring # with a hash", "Two\n\nlines").replace('"doc"', '"""é"""')
    source = source.replace('    "é"; y', '    """Words.\n\n    More.\n    """; y')
    assert fingerprint(source) == fingerprint(TRICKY)
    assert fingerprint('def f():\n    """A."""\n    return 1\n') == fingerprint(
        "def f():\n    return 1\n"
    )


def test_layout_of_lines_does_not_count():
    one = "def f(a, b):\n    if a:\n        return (a + b)\n"
    two = "def f(\n  a,\n  b):\n  if a:\n\n    return ( a\n+ b )"
    assert fingerprint(one) == fingerprint(two)


@settings(deadline=None)
@given(sources, st.data())
def test_any_token_counts(source, data):
    names = tokens_of(source, tokenize.NAME, tokenize.NUMBER)
    token = data.draw(st.sampled_from(names))
    other = "0" if token.string == "1" else f"{token.string}1"
    if keyword.iskeyword(token.string):
        other = {"True": "False", "None": "True"}.get(token.string, token.string)
    changed = replace(source, token, other)
    try:
        compile(changed, "changed", "exec", dont_inherit=True)
    except SyntaxError:
        return
    assert (fingerprint(changed) == fingerprint(source)) == (other == token.string)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"#"', '"##"'),  # a hash in a text
        ("one\n\n    two", "one\n    two"),  # a blank line in a text
        ("comment   \n", "comment\n"),  # spaces at the end of a line of a text
        ("# é {{}}", "# e {{}}"),  # in an f-string
        ('x: "int"', 'x: "str"'),  # an annotation is no docstring
        ("class Étude", "class Etude"),  # on the line of a docstring
        ("x: ", "y: "),  # behind a docstring
        ('"""Not a doc', '"""No doc'),  # a text that is no docstring
        ('{"a": "b"}', '{"a": "c"}'),
        ("    return lambda", "        return lambda"),  # another block
    ],
)
def test_what_looks_like_words_but_runs_counts(old, new):
    assert TRICKY.count(old) == 1
    assert fingerprint(TRICKY.replace(old, new)) != fingerprint(TRICKY)


def test_separators_of_lines_in_a_text_do_not_hide_code():
    source = 'a = "\x0c\x1c\u2028"  # one\nb = 1\n'
    assert fingerprint(source) != fingerprint(source.replace("b = 1", "b = 2"))
    assert fingerprint(source) == fingerprint(source.replace("# one", "# two"))
    source = 'a = "\x1c\x1c"\n\ndef f(): "Words."\n'
    assert fingerprint(source) == fingerprint(source.replace("Words", "More words"))


def test_fingerprint_is_the_same_on_every_python_version():
    # Changes only if everything is to run again for everybody. Seen from 3.10 to 3.13; 3.12.1 has
    # another syntax tree of f-strings.
    assert fingerprint(TRICKY) == (
        "cd70fa91ef7d7491e36024784bfbe1da5e5ef400d2c9f64de8d57aa6e4a08318"
    )


@pytest.fixture
def project(tmp_path):
    def project(**files):
        for name, text in {"stages/__init__": "", "stages/a/__init__": "", **files}.items():
            path = tmp_path / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return project


@pytest.mark.parametrize(
    "statement",
    [
        "import stages.a.one",
        "import os, stages.a.one as other",
        "from stages.a import one",
        "from stages.a import (\n    nothing,\n    one as other,\n)",
        "from stages.a.one import *",
        "def f():\n    if True:\n        from stages.a import one",
        "try:\n    pass\nexcept ValueError:\n    import stages.a.one",
        "try:\n    pass\nfinally:\n    import stages.a.one",
        "for a in b: import stages.a.one",
        "match a:\n    case 1:\n        import stages.a.one",
        "while a:\n    pass\nelse:\n    with b: import stages.a.one",
        "from . import one",
        "from .one import f",
        "from ..a import one",
    ],
)
def test_every_form_of_import_is_followed(project, statement):
    root = project(**{"stages/a/two": statement, "stages/a/one": "x = 1", "stages/a/no": ""})
    found = imported_modules(root, "stages.a.two")
    assert sorted(found) == ["stages", "stages.a", "stages.a.one", "stages.a.two"]


def test_package_imports_from_itself(project):
    root = project(**{"stages/a/__init__": "from .one import x", "stages/a/one": "x = 1"})
    assert sorted(imported_modules(root, "stages.a")) == ["stages", "stages.a", "stages.a.one"]


def test_imports_of_imports_count_and_circles_end(project):
    root = project(
        **{
            "stages/a/one": "from stages.a import two",
            "stages/a/two": "import stages.b.three",
            "stages/b/__init__": "from stages.b.four import x",
            "stages/b/three": "import numpy, stages.a.one",
            "stages/b/four": "x = 1",
        }
    )
    found = imported_modules(root, "stages.a.one")
    assert {"stages.a.two", "stages.b", "stages.b.three", "stages.b.four"} <= set(found)
    assert "numpy" not in found


def test_folder_of_fingerprints_does_not_matter(project, tmp_path):
    root = project(**{"stages/a/one": "x = 1"})
    (tmp_path / "other").mkdir()
    (root / "stages").rename(tmp_path / "other" / "stages")
    moved = imported_modules(tmp_path / "other", "stages.a.one")
    assert moved == imported_modules(project(**{"stages/a/one": "x = 1"}), "stages.a.one")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n", r"one.py: not Python: invalid syntax in line 1; fix the syntax$"),
        ("x = (1\n", r"one.py: not Python: '\(' was never closed in line 1; fix"),
        ("x = 1\0", r"one.py: not Python: source code .*null bytes"),
        ("from ...a import b", r"one.py: not Python: attempted relative import beyond top"),
    ],
)
def test_file_that_is_not_python_is_one_line(project, text, message):
    root = project(**{"stages/a/one": text})
    with pytest.raises(InputError, match=message) as caught:
        imported_modules(root, "stages.a.one")
    assert "\n" not in str(caught.value)


@pytest.fixture
def parse_count(monkeypatch):
    """Return a function that counts what a new process parses for the given modules."""

    def count(root, *modules):
        for cache in ("_parsed", "_stored"):
            monkeypatch.setattr(module_under_test, cache, {})
        parsed, parse = [], ast.parse
        monkeypatch.setattr(ast, "parse", lambda source: parsed.append(source) or parse(source))
        with parsed_once(root / "fingerprints.json"):
            result = imported_modules(root, *modules)
        monkeypatch.setattr(ast, "parse", parse)
        return result, len(parsed)

    return count


def test_a_module_is_parsed_again_only_if_it_changed(project, parse_count):
    root = project(**{"stages/a/one": "from stages.a import two", "stages/a/two": "x = 1"})
    first, _ = parse_count(root, "stages.a.one")
    assert parse_count(root, "stages.a.one") == (first, 0)
    changed, n = parse_count(project(**{"stages/a/two": "x = 2"}), "stages.a.one")
    assert n == 1
    assert {name for name in first if first[name] != changed[name]} == {"stages.a.two"}
    project(**{"stages/a/two": "x = 1"})
    assert parse_count(root, "stages.a.one")[0] == first


@pytest.mark.parametrize("content", ["", "[]", '{"version": "other", "modules": {}}', None])
def test_what_another_version_parsed_does_not_count(project, parse_count, content):
    root = project(**{"stages/a/one": "x = 1"})
    first, n = parse_count(root, "stages.a.one")
    assert n > 0
    cache = root / "fingerprints.json"
    cache.unlink() if content is None else cache.write_text(content)
    assert parse_count(root, "stages.a.one") == (first, n)
    assert parse_count(root, "stages.a.one") == (first, 0)


def test_nothing_is_written_where_dvc_has_no_folder(project):
    root = project(**{"stages/a/one": "x = 1"})
    with parsed_once(root / ".dvc/tmp/fingerprints.json"):
        imported_modules(root, "stages.a.one")
    assert not (root / ".dvc").exists()


def test_byte_order_mark_does_not_count(project):
    root = project(**{"stages/a/one": "\ufeffx = 1", "stages/a/two": "x = 1"})
    modules = imported_modules(root, "stages.a.one", "stages.a.two")
    assert modules["stages.a.one"] == modules["stages.a.two"]


@pytest.mark.parametrize(
    ("raised", "counts"),
    [
        ('raise InputError("b")', False),
        ('raise InputError(\n        "b"\n        f"{y} c"\n    ) from None', False),
        ('raise ValueError("a")', True),
        ('raise InputError("a", y)', True),
        ('x = "b"; raise InputError("a")', True),
    ],
)
def test_texts_of_errors_do_not_count(raised, counts):
    code = "def f(y):\n    {}\n"
    same = fingerprint(code.format('raise InputError("a")')) == fingerprint(code.format(raised))
    if "from None" in raised:
        same = fingerprint(code.format(raised)) == fingerprint(
            code.format(raised.replace("c", "d"))
        )
    assert same is not counts


def test_module_without_a_file_is_named(project):
    with pytest.raises(InputError, match=r"stages.a.one is missing; restore its file"):
        imported_modules(project(), "stages.a.one")


def test_same_modules_same_bytes(tmp_path):
    write_json(tmp_path / "new" / "one.json", {"modules": {"b": "2", "a": "1"}})
    assert (tmp_path / "new" / "one.json").read_text() == (
        '{\n "modules": {\n  "a": "1",\n  "b": "2"\n }\n}\n'
    )


def test_messages_do_not_count():
    code = "def f(y):\n    print({})\n    return y\n"
    assert fingerprint(code.format("'a', y")) == fingerprint(code.format("f'{y} b'"))
    assert fingerprint(code.format("y")) != fingerprint(code.format("y").replace("y\n", "1\n"))


FORMAT = '''
RATES = {"a": 1}
OTHER = 2

class Section(Strict):
    """A section."""

    rate: float = 0.5

    @field_validator("rate")
    def _is_known(cls, rate):
        return rate

    @property
    def common(self):
        return _look_up(self.rate)

class Plain(Strict):
    size: int

def _look_up(rate):
    return RATES[rate]

def read(path):
    return Section(path, OTHER)
'''


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ('"a": 1', '"a": 3', {"RATES", "_look_up", "Section"}),
        ("RATES[rate]", "2 * RATES[rate]", {"_look_up", "Section"}),
        ("OTHER = 2", "OTHER = 3", {"OTHER", "read"}),
        ("Section(path,", "Plain(path,", {"read"}),
        ("rate: float = 0.5", "rate: float = 0.5\n    more: int = 0", set()),  # a new key
        ("        return rate\n", "        return abs(rate)\n", set()),  # a validator
        ("A section.", "The section.", set()),
    ],
)
def test_a_definition_counts_with_what_it_computes_by(project, old, new, changed):
    assert FORMAT.count(old) == 1
    before, after = (
        imported_modules(project(**{"stages/a/one": text}), "stages.a.one")["stages.a.one"]
        for text in (FORMAT, FORMAT.replace(old, new))
    )
    names = before.definitions.keys()
    assert names == after.definitions.keys() == {"RATES", "OTHER", "Section", "_look_up", "read"}
    assert {n for n in names if before.definitions[n] != after.definitions[n]} == changed
