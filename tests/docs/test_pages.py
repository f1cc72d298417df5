"""The pages are short, link to what exists, and show parameters and commands that are valid."""

import re
import shlex

import pytest
import yaml
from dvc.cli.parser import get_main_parser
from pages import PAGES, ROOT, blocks, codes, commands, prose

from foldwise.cli.main import _parser
from foldwise.files.params import Params, check_params
from foldwise.files.slots import candidate_slots

LANGUAGES = {"sh", "text", "yaml", "python", "mermaid"}
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
SLOTS = candidate_slots(yaml.safe_load((ROOT / "dvc.yaml").read_text()), "dvc.yaml")
LINK = re.compile(r"\]\(([^)\s]+)\)")
OWN_FILE = re.compile(r"`((?:benchmarks|foldwise|stages|tests)/[a-z0-9_/]+\.\w+)`")


def merge(base, change):
    """Return nested dicts with the values of both; those of the second win."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    return base | {key: merge(base.get(key), value) for key, value in change.items()}


def nest(key, value):
    """Return {"a": {"b": value}} for the key a.b."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def yaml_blocks():
    return [(page, text) for page, text, _ in blocks("yaml")]


def shown_params():
    """Return params.yaml with all architectures that the pages show."""
    parts = [yaml.safe_load(text) for _, text in yaml_blocks()]
    builds = [{"build": part["build"]} for part in parts if "build" in part]
    content = PARAMS
    for build in builds:
        content = merge(content, build)
    return content


def anchors(page):
    """Return the anchors of the headings of a page, as GitHub makes them."""
    titles = [line.lstrip("# ") for line in prose(page) if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 250
    assert (ROOT / "docs/report.png").stat().st_size <= 150_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    for target in LINK.findall("\n".join(prose(page))):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            file = page.parent / path if path else page
            assert file.exists(), target
            assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize(
    "page", [*PAGES, *sorted((ROOT / "reports").glob("**/*.md"))], ids=lambda page: page.name
)
def test_a_file_of_the_code_that_a_page_names_exists(page):
    for name in OWN_FILE.findall(page.read_text()):
        assert (ROOT / name).is_file(), name


@pytest.mark.parametrize(
    "path", sorted((ROOT / "reports").glob("*/params.yaml")), ids=lambda path: path.parent.name
)
def test_the_parameters_of_an_example_are_valid_today(path):
    check_params(yaml.safe_load(path.read_text()), SLOTS, str(path))


def test_every_page_is_linked_from_the_readme():
    links = LINK.findall((ROOT / "README.md").read_text())
    assert {f"docs/{path.name}" for path in (ROOT / "docs").iterdir()} <= set(links)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_has_a_language_that_is_checked(page):
    fences = re.findall(r"^```(\w*)$", page.read_text(), re.MULTILINE)
    assert set(fences[::2]) <= LANGUAGES
    assert set(fences[1::2]) <= {""}


@pytest.mark.parametrize(("page", "text"), yaml_blocks())
def test_a_block_of_yaml_is_valid_params(page, text):
    content = yaml.safe_load(text)
    if page == "CONTRIBUTING.md":  # a step of a workflow
        assert isinstance(content, list)
    elif page == "docs/final.md":
        assert content == yaml.safe_load((ROOT / "final" / "params.yaml").read_text())
    else:
        assert set(content) <= set(Params.model_fields)
        check_params(merge(PARAMS, content), SLOTS, page)


def test_the_invalid_regular_expression_of_an_earlier_readme_is_found():
    with pytest.raises(yaml.YAMLError):
        test_a_block_of_yaml_is_valid_params("x", 'prepare:\n  groups: "(patient\\d+)"\n')


def settings():
    """Return the keys of params.yaml, alone or with a value, that sentences name."""
    shown = {code for _, code, _ in codes() if re.fullmatch(r"[a-z_.]+(: .+)?", code)}
    names = {code for code in shown if re.split("[.:]", code)[0] in Params.model_fields}
    return sorted(name for name in names if not name.endswith((".json", ".onnx", ".safetensors")))


@pytest.mark.parametrize("code", settings())
def test_a_key_or_setting_in_a_sentence_exists(code):
    key, colon, value = code.partition(": ")
    section, _, name = key.partition(".")
    assert not name or name in PARAMS[section]
    if colon:
        check_params(merge(PARAMS, nest(key, yaml.safe_load(value))), SLOTS, code)


@pytest.mark.parametrize("line", sorted({command.line for command in commands()}))
def test_a_command_has_options_and_parameters_that_exist(line):
    program, *words = shlex.split(line)
    if program == "dvc":
        args, content = get_main_parser().parse_args(words), shown_params()
        for name, _, value in (text.partition("=") for text in getattr(args, "set_param", [])):
            for choice in value.split(",") if args.queue else [value]:
                content = merge(content, nest(name, yaml.safe_load(choice)))
                check_params(content, SLOTS, line)
    elif program == "foldwise" and "--help" not in words:
        _parser().parse_args(words)
    elif program == "make":
        makefile = (ROOT / "Makefile").read_text()
        assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE)
        assert all(f"$({word.partition('=')[0]})" in makefile for word in words[1:])
