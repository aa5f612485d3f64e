"""`kg diff` through its real door, on releases built from changed sources."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kg.cli import main
from kg.namespaces import RF, USUAL_PREFIXES
from kg.store.base import NamedGraph, Owner
from kg.store.embedded import commit
from kg.store.releases import Releases
from store_parts import NOW, change, graph
from two_releases import TOLD, make_store

RDF, RDFS = USUAL_PREFIXES["rdf"], USUAL_PREFIXES["rdfs"]


def run(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two releases, of which each kind of claim's change is in the second."""
    return make_store(tmp_path_factory.mktemp("diff"))


def test_claims_are_told_as_people_read_them(store: Path) -> None:
    first, empty, *told = run("diff", "--store", store, "1", "2").stdout.split("\n", 2)
    old, new = Releases.open(store).all()
    assert first == f"From release {old.name} ({old.time}) to release {new.name} ({new.time})"
    assert (empty, [each.partition("\nAnd ")[0] for each in told]) == ("", [TOLD])


def test_head_is_meant_where_one_release_is_named(store: Path) -> None:
    told = run("diff", "--store", store, "1").stdout
    assert told == run("diff", "--store", store, "1", "2").stdout


def test_a_tag_names_a_release(store: Path) -> None:
    run("tag", "--store", store, "first-one", "1")
    told = run("diff", "--store", store, "first-one").stdout
    assert told == run("diff", "--store", store, "1").stdout


def test_the_other_way_round_what_was_added_is_withdrawn(store: Path) -> None:
    there, back = (
        json.loads(run("diff", "--store", store, *way, "--format", "json").stdout)
        for way in (("1", "2"), ("2", "1"))
    )
    claims = [[claim["claim"] for claim in told["added"]] for told in (there, back)]
    gone = [[claim["claim"] for claim in told["withdrawn"]] for told in (back, there)]
    assert claims == gone
    assert there["quads"] == {"added": back["quads"]["removed"], "removed": back["quads"]["added"]}


def test_a_release_differs_in_nothing_from_itself(store: Path) -> None:
    assert run("diff", "--store", store, "2", "2").stdout.endswith("\n\nNothing differs.\n")


def test_json_has_every_changed_property_and_what_follows_from_another(store: Path) -> None:
    told = json.loads(run("diff", "--store", store, "1", "--format", "json").stdout)
    (number,) = [each for each in told["changed"] if "2,926" in each["reading"]]
    assert {
        each["name"]: (each["before"], each["after"], each["follows"]) for each in number["changes"]
    } == {
        "reported text": (["2,926"], ["2,920"], False),
        "value": (["2926"], ["2920"], True),
        "lower bound": (["2926"], ["2920"], True),
        "upper bound": (["2926"], ["2920"], True),
    }
    (moved,) = [each for each in told["changed"] if "was" in each]
    assert moved["was"].endswith("/c/figure-joined")


def test_a_new_name_alone_changes_no_claim(store: Path) -> None:
    """The paper of the first article is called otherwise at the second release."""
    told = json.loads(run("diff", "--store", store, "1", "--format", "json").stdout)
    listed = [*told["added"], *told["withdrawn"], *told["changed"]]
    assert "Harbour News, the paper" not in {each["publisher"] for each in listed}
    assert any(each["graph"].endswith("graph/entities") for each in told["others"])


def test_quads_that_differ_sum_up_to_what_the_release_changed(store: Path) -> None:
    quads = run("diff", "--store", store, "1", "--format", "quads").stdout.splitlines()
    changes = Releases.open(store).head().changes
    signs = [line[:2] for line in quads]
    assert (signs.count("+ "), signs.count("- ")) == (changes.quads_added, changes.quads_removed)
    assert len(quads) == len(set(quads)) == len(signs)


def test_a_patch_has_a_row_for_each_quad(store: Path) -> None:
    rows = run("diff", "--store", store, "1", "--format", "patch").stdout.splitlines()
    quads = run("diff", "--store", store, "1", "--format", "quads").stdout.splitlines()
    signs = {"A": "+", "D": "-"}
    changed = sorted(
        f"{signs[row[0]]}{row[1:]}" for row in rows if row[0] in signs and row[1] == " "
    )
    assert changed == sorted(quads)


def test_files_that_changed_are_told_where_no_quad_did(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    for rule in (b"one", b"two"):
        made = change(graph("g", ":a :p :b"))
        files = {**made.files, "rules/r.rq": rule}
        assert commit(folder, replace(made, files=files), now=NOW)
    _, _, told = run("diff", "--store", folder, "1").stdout.split("\n", 2)
    assert told == "No claim differs.\n\nFiles that the release carries: rules/r.rq changed\n"


def test_what_would_steer_a_terminal_is_not_printed(tmp_path: Path) -> None:
    said = r'"\u001B[31mred\u0007 \u202Eback\nline"'
    claim = (
        f"<http://ex/c> <{RF}paraphrase> {said} .\n"
        f"<http://ex/c> <{RDF}type> <{RF}OpinionClaim> .\n"
        f"<{RF}OpinionClaim> <{RDFS}subClassOf> <{RF}Claim> .\n"
    )
    folder = tmp_path / "store"
    for text in ("<http://ex/a> <http://ex/p> <http://ex/b> .\n", claim):
        made = change(NamedGraph("http://ex/g", text.encode(), Owner.DATA))
        assert commit(folder, made, now=NOW)
    told = run("diff", "--store", folder, "1").stdout
    assert "  + claim: \ufffd[31mred\ufffd \ufffdback\ufffdline; no publisher, undated\n" in told


@pytest.mark.parametrize(
    ("names", "code", "message"),
    [(("9",), 5, "names release '9', which is not there"), ((), 2, "Missing argument 'A'")],
)
def test_what_cannot_be_compared_is_told(
    store: Path, names: tuple[str, ...], code: int, message: str
) -> None:
    assert message in run("diff", "--store", store, *names, code=code).stderr
