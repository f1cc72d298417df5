"""The sections of the report on the data set, its near-duplicates and its labels."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from compared import inspect, read_all

from foldwise.files.dataset import DecodingFacts
from foldwise.report.pages import report_markdown


@pytest.fixture
def sections(case):
    """Return the three sections, by title, of a data set with these facts."""
    flags = case({"a": [[0.5, 0.6]]})

    def sections(chosen_without="a", mode="report", **facts):
        inspect(Path(flags[-1]), **facts)
        inputs = read_all(flags)
        inspection = inputs.inspection
        pairs = inspection.near_duplicates.model_copy(update={"mode": mode})
        inspection = inspection.model_copy(update={"near_duplicates": pairs})
        verdict = inputs.verdict.model_copy(update={"chosen_without": chosen_without})
        inputs = replace(inputs, inspection=inspection, verdict=verdict)
        parts = re.split("^## ", report_markdown(inputs), flags=re.MULTILINE)
        return {part.partition("\n")[0]: part for part in parts}

    return sections


def test_facts_of_the_data_set(sections):
    decoding = DecodingFacts(n_multipage=3)
    data = sections(n_groups=350, n_duplicates=10, n_left_out=2, decoding=decoding)["Data"]
    for fact in (
        *("300 training images", "80 images (“dog”) to 120 images (“cat”)", "60 test images"),
        *("folds of 60 images", "repeat 0 fold 1 validates no image of “bird”", "350 groups"),
        *("10 images with the same", "2 images left out", "first page only of 3 files"),
    ):
        assert fact in data
    quiet = sections()["Data"]
    assert not re.search("group|same content|left out", quiet)


def test_long_tables_are_cut_and_linked(sections):
    found = sections(n_pairs=30, n_labels=30)
    for name, title in (
        ("near_duplicates", "Near-duplicates"),
        ("labels", "Labels that look wrong"),
    ):
        section = found[title]
        assert len(re.findall(r"^\| [ac]\.png", section, re.MULTILINE)) == 20
        assert "The first 20" in section
        assert f"(inspection/{name}.csv)" in section


def test_a_single_pair_and_a_single_label_are_not_all_of_one(sections):
    found = sections(n_pairs=1, n_labels=1)
    assert "<summary>The only pair</summary>" in found["Near-duplicates"]
    assert "<summary>The only image</summary>" in found["Labels that look wrong"]


def test_grouping_is_proposed_where_copies_are_in_different_folds(sections):
    assert "`prepare.near_duplicates: group`" in sections()["Near-duplicates"]
    grouped = sections(mode="group")["Near-duplicates"]
    assert "`prepare" not in grouped
    assert "share a group" in grouped


def test_near_duplicates_that_are_ignored_are_not_denied(sections):
    for mode, sentence in [("ignore", "Not searched"), ("report", "No image looks like a copy")]:
        assert sentence in sections(mode=mode, n_pairs=0)["Near-duplicates"]


def test_a_verdict_that_depends_on_labels_is_said(sections):
    assert "the verdict is the same" in sections()["Labels that look wrong"]
    other = sections(chosen_without="b")["Labels that look wrong"]
    assert re.search(r"\*\*[^*]*the verdict would be b\*\*", other)


def test_many_labels_that_look_wrong_mean_weak_networks(sections):
    title = "Labels that look wrong"
    assert "too weak" not in sections(n_labels=30)[title]
    assert "too weak" in sections(n_labels=31)[title]


def test_nothing_found_is_one_sentence(sections):
    found = sections(n_pairs=0, n_labels=0)
    for title in ("Near-duplicates", "Labels that look wrong"):
        assert re.fullmatch(rf"{title}\n\nNo [^.]*\.\n\n", found[title])
