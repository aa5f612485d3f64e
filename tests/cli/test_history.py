"""`kg releases`, `kg tag`, `kg rollback`, `kg prune`: the history of a store, shown and changed."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kg.cli import main
from kg.cli.releases import changed
from kg.project import Project
from kg.store.base import Changes, Release
from kg.store.embedded import commit
from kg.store.holding import held
from kg.store.releases import Releases
from store_parts import change, graph

NOW = datetime.now(UTC)


@pytest.fixture
def three(tmp_path: Path) -> list[Release]:
    """A store with three releases, a day between them, the newest of now."""
    made = []
    for number in range(3):
        graphs = [graph("g", *(f":s :p :o{it}" for it in range(number, 3)))]
        if number == 1:
            graphs.append(graph("h", ":s :p :o"))
        release = commit(tmp_path / "store", change(*graphs), now=NOW - timedelta(days=2 - number))
        assert release
        made.append(release)
    return made


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "ann")


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def rows(*arguments: str) -> list[list[str]]:
    """The cells of a table that is written."""
    lines = run(*arguments).stdout.splitlines()
    return [re.split(r" {2,}", line.strip()) for line in lines if line.strip()]


def opened() -> Releases:
    return Releases.open(Path("store").absolute())


# --- releases -----------------------------------------------------------------------------


def test_releases_are_shown_with_what_they_changed(three: list[Release]) -> None:
    run("tag", "first", "1")
    _, _, *shown = rows("releases")
    assert [row[-1 if "first" in row else -3] for row in shown[:1]] == ["first"]
    assert [[cell for cell in row if "quad" in cell or cell == "*"] for row in shown] == [
        ["+3 quads; 1 graph new"],
        ["+1 \N{MINUS SIGN}1 quads; 1 graph new, 1 changed"],
        ["*", "\N{MINUS SIGN}2 quads; 1 graph changed, 1 gone"],
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (Changes(0, 0, 0, 0, 0), "no quads"),
        (Changes(12, 0, 0, 10_943, 0), "+10,943 quads; 12 graphs new"),
        (Changes(0, 1, 2, 0, 3), "\N{MINUS SIGN}3 quads; 2 graphs changed, 1 gone"),
    ],
)
def test_changes_in_words(changes: Changes, words: str) -> None:
    assert changed(changes) == words


def test_releases_as_json_tell_all(three: list[Release]) -> None:
    run("tag", "good", "2")
    Path("store/citations").mkdir()
    Path("store/citations/x.json").write_text(json.dumps({"release": three[1].name}))
    listed = json.loads(run("releases", "--format", "json").stdout)
    assert [row["number"] for row in listed] == [1, 2, 3]
    second = listed[1]
    assert (second["tags"], second["cited"], second["head"]) == (["good"], 1, False)
    assert (second["name"], second["digest"]) == (three[1].name, three[1].digest)
    assert (second["time"], second["message"], second["who"]) == (
        three[1].time,
        "changed",
        "a test",
    )
    assert second["changes"] == {
        "graphs_added": 1,
        "graphs_removed": 0,
        "graphs_changed": 1,
        "quads_added": 1,
        "quads_removed": 1,
    }


def test_a_limit_shows_the_newest(three: list[Release]) -> None:
    listed = json.loads(run("releases", "--limit", "2", "--format", "json").stdout)
    assert [row["number"] for row in listed] == [2, 3]


def test_moves_are_shown_where_they_are_asked_for(three: list[Release]) -> None:
    run("rollback", "1", "--message", "2 and 3 [are] wrong")
    told = json.loads(run("releases", "--moves", "--format", "json").stdout)
    (move,) = told["moves"]
    assert (move["from"], move["to"], move["who"]) == (three[2].name, three[0].name, "ann")
    assert "2 and 3 [are] wrong" in run("releases", "--moves").stdout
    assert "2 and 3" not in run("releases").stdout


# --- tag ----------------------------------------------------------------------------------


def test_a_tag_is_given_to_head_or_to_the_release_that_is_named(three: list[Release]) -> None:
    assert run("tag", "now").stdout == f"tag now names release {three[2].name}\n"
    assert run("tag", "v1", "1", "--message", "the paper").stdout.endswith(f"{three[0].name}\n")
    assert run("tag", "copy", "v1").stdout.endswith(f"{three[0].name}\n")
    listed = json.loads(run("tag", "--format", "json").stdout)
    assert [(row["name"], row["release"], row["message"]) for row in listed] == [
        ("copy", three[0].name, ""),
        ("now", three[2].name, ""),
        ("v1", three[0].name, "the paper"),
    ]
    assert [row[0] for row in rows("tag")[2:]] == ["copy", "now", "v1"]


def test_an_empty_name_is_not_taken_for_head(three: list[Release]) -> None:
    """As of a variable of a script that is not set."""
    assert "names release ''" in run("tag", "v1", "", code=5).stderr
    assert opened().tags() == []


@pytest.mark.parametrize("message", ["\udcff", "\x1b[31mred", "a\u202eb"])
def test_a_message_that_would_garble_a_terminal_is_refused(
    message: str, three: list[Release]
) -> None:
    for command in (("tag", "v1", "1"), ("rollback", "1"), ("build",), ("publish", "a.ttl")):
        assert "message" in run(*command, "--message", message, code=2).stderr
    assert (opened().tags(), opened().moves()) == ([], [])


def test_a_user_whose_name_is_no_text_is_written_down_all_the_same(
    three: list[Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "a\udcff\x1bb")
    run("tag", "v1")
    assert opened().tags()[0].who == "a??b"


def test_a_tag_is_moved_and_deleted_in_so_many_words(three: list[Release]) -> None:
    run("tag", "a", "1")
    assert "move it with --move" in run("tag", "a", "2", code=2).stderr
    run("tag", "a", "2", "--move")
    assert opened().named("a") == three[1]
    assert run("tag", "--delete", "a").stdout == (
        f"tag a is gone; it named release {three[1].name}, which is still there\n"
    )
    assert "there is no tag 'a'" in run("tag", "--delete", "a", code=2).stderr


def test_a_query_may_name_a_tag_as_its_release(three: list[Release]) -> None:
    run("tag", "v1", "1")
    names = [opened().named(text).name for text in ("v1", "1")]
    assert names == [three[0].name] * 2


# --- rollback -----------------------------------------------------------------------------


def test_a_rollback_says_from_where_to_where_and_how_to_undo_it(three: list[Release]) -> None:
    result = run("rollback", "1", "--message", "wrong")
    assert result.stdout == f"HEAD moved from release {three[2].name} to {three[0].name}\n"
    assert f"kg rollback {three[2].name}" in result.stderr
    assert opened().head() == three[0]
    run("rollback", three[2].name, "--message", "it was not")
    assert opened().head() == three[2]


def test_a_rollback_says_why(three: list[Release]) -> None:
    assert "--message" in run("rollback", "1", code=2).stderr


def test_a_rollback_to_what_is_not_there_is_refused(three: list[Release]) -> None:
    assert (
        "names release '9', which is not there"
        in run("rollback", "9", "--message", "", code=5).stderr
    )


# --- prune --------------------------------------------------------------------------------


def test_prune_tells_of_each_release(three: list[Release]) -> None:
    run("tag", "v1", "1")
    wanted = [
        f"{three[1].name}: would be removed, made {three[1].time}, digest {three[1].digest}",
        f"{three[0].name}: kept, tagged v1",
        f"{three[2].name}: kept, HEAD",
        "1 would be removed, 2 kept",
    ]
    assert run("prune", "--keep", "1", "--dry-run").stdout.splitlines() == wanted
    done = [line.replace("would be removed", "removed") for line in wanted]
    assert run("prune", "--keep", "1").stdout.splitlines() == done
    assert [release.number for release in opened().all()] == [1, 3]


def test_prune_says_what_is_in_use(three: list[Release]) -> None:
    with held(three[0].folder):
        out = run("prune", "--days", "1.5").stdout
    assert f"{three[0].name}: kept, in use\n" in out
    assert [release.number for release in opened().all()] == [1, 2, 3]


def test_prune_takes_its_bounds_from_the_settings(
    three: list[Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Give --keep N" in run("prune", code=2).stderr
    monkeypatch.setenv("KG_KEEP_RELEASES", "2")
    assert run("prune").stdout.endswith("1 removed, 2 kept\n")
    assert "was removed at" in run("rollback", "1", "--message", "", code=5).stderr


def test_a_build_removes_what_the_settings_let_go_and_says_so(
    project: Project, built: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Releases.open(built).head()
    monkeypatch.setenv("KG_KEEP_RELEASES", "1")
    source.write_text(source.read_text() + "\n# the same\n")
    arguments = ("build", "--project", str(project.folder), "--store", str(built))
    assert "nothing differs" in run(*arguments).stdout
    context = project.context
    context.write_text(context.read_text().replace("{", "{\n", 1))
    result = run(*arguments)
    assert f"event=release_removed release={first.name}" in result.stderr
    assert [release.number for release in Releases.open(built).all()] == [2]
