"""The comment of a pull or merge request, against stand-ins for gh and curl."""

import json
import os
import re
import subprocess

import pytest
from clone import ROOT

MARKER = "<!-- foldwise: report -->"


@pytest.fixture
def host(tmp_path):
    """Return a function that runs a script with a stand-in for gh or curl, and what it was asked.

    The stand-in answers with `answers`, one a call: (exit status, text).
    """

    def host(name, words, answers, **environment):
        tools = tmp_path / "tools"
        tools.mkdir()
        (tools / "answers.json").write_text(json.dumps(answers))
        (tools / name).write_text(
            "#!/usr/bin/env python3\n"
            "import json, pathlib, sys\n"
            "folder = pathlib.Path(__file__).parent\n"
            "calls = folder / 'calls.json'\n"
            "past = json.loads(calls.read_text()) if calls.exists() else []\n"
            "files = [pathlib.Path(one) for one in sys.argv if one.startswith('/dev/fd/')]\n"
            "calls.write_text(json.dumps([*past, sys.argv[1:] + [f.read_text() for f in files]]))\n"
            "status, text = json.loads((folder / 'answers.json').read_text())[len(past)]\n"
            "print(text, file=sys.stderr if status else sys.stdout)\n"
            "sys.exit(status)\n"
        )
        (tools / name).chmod(0o755)
        summary = tmp_path / "summary.md"
        summary.write_text(f"{MARKER}\n# Take it\n")
        environment["PATH"] = f"{tools}:{os.environ['PATH']}"
        script = ROOT / ".ci" / f"comment-{words[0]}"
        done = subprocess.run(
            [script, *words[1:], summary],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        calls = tools / "calls.json"
        return done, json.loads(calls.read_text()) if calls.exists() else []

    return host


GITHUB = ("github", "a/b", "7")
DENIED = "gh: Resource not accessible by integration (HTTP 403)"


@pytest.mark.parametrize(
    ("found", "method", "address"),
    [("", "POST", "repos/a/b/issues/7/comments"), ("5\n9", "PATCH", "repos/a/b/issues/comments/5")],
)
def test_github_has_one_comment_which_is_kept_up_to_date(host, found, method, address):
    done, calls = host("gh", GITHUB, [(0, found), (0, "https://example.org/1")])
    assert (done.returncode, done.stdout) == (0, "comment: https://example.org/1\n")
    assert "repos/a/b/issues/7/comments" in calls[0]
    assert calls[1][:4] == ["api", "--method", method, address]
    assert any(re.fullmatch("body=@.*/summary.md", word) for word in calls[1])


def test_a_token_that_may_only_read_leaves_it_at_the_summary(host):
    done, _ = host("gh", GITHUB, [(0, ""), (1, DENIED)])
    assert done.returncode == 0
    assert done.stdout.startswith("::notice::no comment")


def test_any_other_failure_of_github_fails(host):
    done, _ = host("gh", GITHUB, [(0, ""), (1, "gh: Server Error (HTTP 502)")])
    assert (done.returncode, done.stderr[:18]) == (1, "error: no comment:")


GITLAB = {
    "CI_API_V4_URL": "https://example.org/api/v4",
    "CI_MERGE_REQUEST_PROJECT_ID": "3",
    "CI_MERGE_REQUEST_PROJECT_URL": "https://example.org/a/b",
    "CI_MERGE_REQUEST_IID": "7",
}
NOTES = "https://example.org/api/v4/projects/3/merge_requests/7/notes"
OTHERS = {"id": 4, "body": f"I saw {MARKER}"}


@pytest.mark.parametrize(
    ("found", "address"), [([OTHERS], NOTES), ([OTHERS, {"id": 5, "body": MARKER}], f"{NOTES}/5")]
)
def test_gitlab_has_one_note_which_is_kept_up_to_date(host, found, address):
    answers = [(0, json.dumps(found)), (0, "")]
    done, calls = host("curl", ("gitlab",), answers, REPORT_TOKEN="secret", **GITLAB)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{NOTES}?sort=asc&per_page=100" in calls[0]
    assert address in calls[1]
    for words in calls:  # the last word is what the file holds: no argument shows the token
        assert words[-1] == 'header = "PRIVATE-TOKEN: secret"\n'
        assert not any("secret" in word for word in words[:-1])


def test_without_a_token_gitlab_has_the_artifact_alone(host):
    done, calls = host("curl", ("gitlab",), [], **GITLAB)
    assert (done.returncode, calls) == (0, [])
    assert "no note, since there is no REPORT_TOKEN" in done.stdout
