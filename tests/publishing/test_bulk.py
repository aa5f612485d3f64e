"""Publishing in bulk, through the command: what lands, what is set aside, what a kill leaves."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from conftest import FIXTURES, NOW
from kg.cli import main
from kg.media import N_QUADS
from kg.namespaces import GRAPH
from kg.project import Project
from kg.publishing.bulk.quarantine import put_file
from kg.publishing.bulk.units import Refused
from kg.publishing.publish import publish as build
from kg.settings import Settings
from kg.store.base import Owner, Release
from kg.store.bulk import lines_before, section
from kg.store.embedded import EmbeddedStore
from kg.store.releases import Releases
from kg_server import environment
from processes import eventually
from web.writable import indirect, writable_server

SOURCE = (FIXTURES / "project/data/articles/harbour-news/article.yaml").read_text()
EAGER_ENGINE = Path(__file__).parents[1] / "eager_engine"
DIGEST = "d826bc1f151f0c3d7136c8a56f66877aa3e2d7e057c235ec124c2c5e04ea0652"
MEASURED = """
import resource, subprocess, sys
program = [sys.executable, "-c", "from kg.cli import main; main()", "publish"]
subprocess.run([*program, *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""The command, and then the kilobytes of memory that the largest of its processes had."""
PLAIN = "<http://ex/{0}> <http://ex/p> <http://ex/o{0}> ."


def key(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def article(name: str) -> str:
    """The source of an article of its own, which the shapes let pass."""
    return SOURCE.replace(DIGEST, hashlib.sha256(name.encode()).hexdigest())


def articles(folder: Path, count: int) -> Path:
    for number in range(count):
        write(folder / f"{number:03}" / "article.yaml", article(f"{number}"))
    return folder


def write(file: Path, content: str | bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def run(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def publish(store: Path, *arguments: str | Path, code: int = 0, processes: int = 1) -> Result:
    return run("publish", *arguments, "--store", store, "--processes", str(processes), code=code)


def head(store: Path) -> Release:
    return Releases.open(store).head()


def graphs(store: Path, owner: Owner = Owner.PUBLISHED) -> dict[str, str]:
    """The digests of the graphs of this owner, by the last parts of their IRIs."""
    states = (state for state in head(store).graphs if state.owner is owner)
    return {state.iri.removeprefix(GRAPH): state.digest for state in states}


def dump(store: Path) -> bytes:
    with EmbeddedStore(store, Settings(workers=1)) as opened:
        return gzip.decompress(opened.dump(opened.release(), N_QUADS).read_bytes())


# --- a folder with everything in it -------------------------------------------------------


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, _built_once: Path) -> Path:
    """A folder of a store, of what was published into it, and of what was said of that."""
    folder = tmp_path_factory.mktemp("mixed")
    store, inputs = folder / "store", folder / "in"
    subprocess.run(["cp", "-a", _built_once, store], check=True)
    write(inputs / "good/article.yaml", article("good"))
    write(inputs / "good-again.yaml", article("good"))
    write(inputs / "misspelt.yaml", article("misspelt").replace("qualifier:", "qualifer:"))
    unhedged = article("unhedged").replace("    hedge: are said\n", "")
    write(inputs / "unhedged/article.yaml", unhedged)
    write(inputs / "facts.ttl", PLAIN.format("a"))
    write(inputs / "later/facts.nt", PLAIN.format("b"))
    write(inputs / "other.ttl", PLAIN.format("a") + "\n" + PLAIN.format("c"))
    write(inputs / "broken.ttl", PLAIN.format("d") + "\n<http://ex/e> <p ")
    lines = [
        PLAIN.format("one").replace(" .", " <http://ex/g1> ."),
        "_:x <http://ex/p> _:y <http://ex/g1> .",
        PLAIN.format("two").replace(" .", " <http://ex/g2> ."),
        f"<http://ex/n> a <https://w3id.org/reported-figures/ns/FigureClaim> <{GRAPH}g3> .".replace(
            " a ", " <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> "
        ),
        PLAIN.format("sec").replace(" .", f" <{GRAPH}sensitive/1> ."),
    ]
    write(inputs / "dump.nq.gz", gzip.compress("\n".join(lines).encode()))
    write(inputs / "more.trig", "<http://ex/g2> { <http://ex/two> <http://ex/q> 1.00 }")
    write(inputs / "broken.nq", "\n".join([*lines[:2], "<http://ex/s> <http://ex/p> oops ."]))
    write(inputs / "default.nq", PLAIN.format("f"))
    write(inputs / "cut.nq.gz", gzip.compress(lines[0].encode() * 100)[:-20])
    write(inputs / "notes.txt", "not published")
    result = publish(store, inputs, "--quarantine", folder / "aside", code=4, processes=2)
    write(folder / "said", result.stdout)
    assert result.stderr == ""
    return folder


def test_what_is_right_lands_and_a_literal_is_in_canonical_form(mixed: Path) -> None:
    names = {f"{kind}/{key('good')}" for kind in ("claims", "provenance", "anchors", "works")}
    found = graphs(mixed / "store")
    assert set(found) == names | {
        f"derived/{key('good')}",
        "published/facts",
        "http://ex/g1",
        "http://ex/g2",
    }
    assert b'<http://ex/two> <http://ex/q> "1"^^' in dump(mixed / "store")


def test_two_dumps_that_have_one_graph_give_it_together(mixed: Path) -> None:
    quads = [line for line in dump(mixed / "store").splitlines() if b"<http://ex/two>" in line]
    assert len(quads) == 2


def test_each_thing_that_is_wrong_is_in_the_quarantine_with_its_reason(mixed: Path) -> None:
    reports = {
        re.sub("-[0-9a-f]{8}.report.txt$", "", file.name): file.read_text()
        for file in (mixed / "aside").glob("*.report.txt")
    }
    expected = {
        "good": "is given by",
        "misspelt": "unknown key 'qualifer'",
        "unhedged": "Violation: A claim that is alleged, believed or reported has a hedge",
        "facts": "<https://w3id.org/reported-figures/graph/published/facts> is given by",
        "other": "<http://ex/a> is described by",
        "broken": ":",
        "g3": "Violation",
        "1": "would be a restricted graph",
        "default": "in no named graph",
        "cut": "cannot be read",
    }
    assert {name for name in expected if name in reports} == set(reports)
    wrong = {name: text for name, text in reports.items() if expected[name] not in text}
    assert wrong == {}


def test_a_report_of_a_broken_file_has_its_line_and_column(mixed: Path) -> None:
    reports = sorted(file.read_text() for file in (mixed / "aside").glob("broken-*.report.txt"))
    places = [re.findall(r"in/(broken\.\w+):(\d+):(\d+)", text) for text in reports]
    assert [(name, int(line)) for ((name, line, _),) in places] == [
        ("broken.nq", 3),
        ("broken.ttl", 2),
    ]


def test_what_the_gate_refused_is_there_as_it_was_with_the_report_in_turtle(mixed: Path) -> None:
    (refused,) = (mixed / "aside").glob("g3-*.nq")
    (shacl,) = (mixed / "aside").glob("g3-*.report.ttl")
    (source,) = (mixed / "aside").glob("unhedged-*.yaml")
    assert refused.read_bytes().startswith(b"<http://ex/n> <http://www.w3.org/1999/")
    assert b"sh:ValidationResult" in shacl.read_bytes()
    assert source.read_bytes() == (mixed / "in/unhedged/article.yaml").read_bytes()


def test_the_summary_counts_both(mixed: Path) -> None:
    said = (mixed / "said").read_text()
    assert f"set aside: 11; {mixed / 'aside'} has them, and says why\n" in said
    assert "published: 4, with " in said
    assert f"release {head(mixed / 'store').name}: " in said


def test_nothing_is_left_of_the_job(mixed: Path) -> None:
    assert list((mixed / "store/publishing").iterdir()) == []


# --- what is published, and what is then there --------------------------------------------


def test_strict_writes_nothing_where_anything_is_wrong(built: Path, tmp_path: Path) -> None:
    before = head(built).name
    inputs = articles(tmp_path / "in", 1)
    write(inputs / "broken.ttl", "<http://ex/s>")
    result = publish(built, inputs, "--strict", "--no-gate", code=4)
    assert "1 could not be published, and so nothing was" in result.stderr
    assert head(built).name == before
    assert list((built / "publishing").glob("quarantine-*/broken-*.report.txt"))


def test_publishing_again_changes_nothing_and_replace_takes_out_what_is_not_given(
    built: Path, tmp_path: Path
) -> None:
    one = write(tmp_path / "one.ttl", PLAIN.format("a"))
    two = write(tmp_path / "two.ttl", PLAIN.format("b"))
    publish(built, one, two)
    first = head(built)
    assert "nothing differs" in publish(built, one, two).stdout
    write(one, PLAIN.format("c"))
    publish(built, one)
    assert set(graphs(built)) == {"published/one", "published/two"}
    publish(built, one, "--replace")
    assert (set(graphs(built)), head(built).number) == ({"published/one"}, first.number + 2)


def test_replace_keeps_what_an_article_had_that_is_set_aside_now(
    built: Path, tmp_path: Path
) -> None:
    source = write(tmp_path / "in/article.yaml", article("one"))
    write(tmp_path / "in/one.nt", PLAIN.format("a"))
    publish(built, tmp_path / "in")
    before = graphs(built)
    write(source, article("one").replace("    hedge: are said\n", ""))
    write(tmp_path / "in/one.nt", "<http://ex/a> oops .")
    write(tmp_path / "in/two.nt", PLAIN.format("b"))
    publish(built, tmp_path / "in", "--replace", code=4)
    assert graphs(built) == before | {"published/two": graphs(built)["published/two"]}


@pytest.mark.parametrize("name", ["dump.nq", "article.yaml"])
def test_replace_takes_nothing_out_where_a_file_does_not_say_what_it_has(
    built: Path, tmp_path: Path, name: str
) -> None:
    publish(built, write(tmp_path / "one.nt", PLAIN.format("a")))
    before = graphs(built)
    unreadable = write(tmp_path / name, "<http://ex/a> oops: [")
    two = write(tmp_path / "two.nt", PLAIN.format("b"))
    said = publish(built, unreadable, two, "--replace", code=4).stdout
    assert "nothing was taken out, in spite of --replace" in said
    assert before.keys() < graphs(built).keys()


def test_a_full_disk_is_no_fault_of_a_dump(built: Path, tmp_path: Path) -> None:
    """What was cut is what is too large here; with room the same command makes the release."""
    lines = (PLAIN.format(n).replace(" .", " <http://ex/g> .") for n in range(40_000))
    large = write(tmp_path / "large.nq", "\n".join(lines))
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, -1));"
        "from kg.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "publish", str(large), "--no-gate"]
    ran = subprocess.run(
        [*command, "--store", str(built)],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert (ran.returncode != 4, "File too large" in ran.stderr) == (True, True)
    assert "published: 1, with 40000 quads" in publish(built, large, "--no-gate").stdout


def test_what_is_set_aside_is_its_owners_alone(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "aside"
    folder.mkdir(mode=0o755)
    write(tmp_path / "in/article.yaml", article("one").replace("    hedge: are said\n", ""))
    write(tmp_path / "in/default.nq", PLAIN.format("f"))
    publish(built, tmp_path / "in", "--quarantine", folder, code=4)
    modes = {file.suffix: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert modes == dict.fromkeys((".yaml", ".nq", ".txt", ".ttl"), 0o600)


def test_a_file_that_cannot_even_be_copied_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr("shutil.copyfile", refuse)
    put_file(tmp_path / "aside", write(tmp_path / "one.nq", "x"), Refused(("no",)))
    (report,) = (tmp_path / "aside").iterdir()
    assert str(tmp_path / "one.nq") in report.read_text()


def test_a_name_that_is_not_utf_8_is_an_error_in_words(built: Path, tmp_path: Path) -> None:
    write(tmp_path / "in" / os.fsdecode(b"\xff.ttl"), PLAIN.format("a"))
    assert r"\xff.ttl" in publish(built, tmp_path / "in", code=2).stderr


@pytest.mark.parametrize("place", ["in/aside", "in", "store/releases"])
def test_the_quarantine_lies_apart_from_what_is_given_and_from_the_releases(
    built: Path, tmp_path: Path, place: str
) -> None:
    """The next publish would take what lies there, too."""
    inputs = write(tmp_path / "in/one.nt", PLAIN.format("a")).parent
    refused = publish(built, inputs, "--quarantine", tmp_path / place, code=2)
    assert "--quarantine" in refused.stderr
    assert head(built).number == 1


def test_a_pipe_is_not_waited_for(built: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nq")
    assert "cannot be published" in publish(built, tmp_path / "pipe.nq", code=2).stderr


def test_the_graph_of_one_file_may_be_named(built: Path, tmp_path: Path) -> None:
    one = write(tmp_path / "one.ttl", PLAIN.format("a"))
    publish(built, one, "--graph", "http://ex/mine")
    assert set(graphs(built)) == {"http://ex/mine"}
    run("publish", one, "--store", built, "--graph", "mine", code=2)
    two = write(tmp_path / "two.ttl", "")
    run("publish", one, two, "--store", built, "--graph", "http://ex/mine", code=2)


def test_a_build_leaves_what_was_published(built: Path, project: Project, tmp_path: Path) -> None:
    publish(built, articles(tmp_path / "in", 1))
    before = graphs(built)
    reference = next(iter(project.reference()))
    reference.write_text(reference.read_text() + "\n<http://ex/new> a <http://ex/Thing> .\n")
    assert build(project, built, who="tests", message="", now=NOW)
    assert (graphs(built), len(before)) == (before, 5)


def test_a_build_of_an_article_that_was_published_is_refused(
    built: Path, project: Project, source: Path, tmp_path: Path
) -> None:
    publish(built, articles(tmp_path / "in", 1), "--no-gate")
    write(source.parent.parent / "same" / "article.yaml", article("0"))
    result = run("build", "--store", built, "--project", project.folder, code=5)
    assert "belongs to published" in result.stderr
    assert "--replace" in result.stderr


def test_an_article_that_the_build_made_is_set_aside(built: Path, tmp_path: Path) -> None:
    write(tmp_path / "in/article.yaml", SOURCE)
    publish(built, tmp_path / "in", code=4)
    (report,) = (built / "publishing").glob("quarantine-*/in-*.report.txt")
    assert "belongs to data" in report.read_text()


def test_what_a_graph_of_the_store_describes_is_not_described_anew(
    built: Path, tmp_path: Path
) -> None:
    area = "<https://w3id.org/reported-figures/area/northland>"
    write(tmp_path / "in/one.ttl", f"{area} <http://ex/p> 1 .")
    publish(built, tmp_path / "in", code=4)
    (report,) = (built / "publishing").glob("quarantine-*/one-*.report.txt")
    assert f"{area} is described in <{GRAPH}entities>, which stays as it is" in report.read_text()


def test_without_the_gate_release_graphs_and_summary_say_so(built: Path, tmp_path: Path) -> None:
    unhedged = article("unhedged").replace("    hedge: are said\n", "")
    result = publish(built, write(tmp_path / "one.yaml", unhedged), "--no-gate")
    made = head(built)
    assert "unchecked: the gate was off" in result.stdout
    assert made.message.endswith("(unchecked: the gate was off)")
    unchecked = {state.iri.removeprefix(GRAPH) for state in made.graphs if not state.checked}
    assert unchecked == set(graphs(built))
    assert f"derived/{key('unhedged')}" not in unchecked
    assert "unchecked" in run("releases", "--store", built).stdout


def test_a_dump_gives_another_store_the_same_claims(
    built: Path, project: Project, source: Path, tmp_path: Path
) -> None:
    publish(built, articles(tmp_path / "in", 2))
    quads = write(tmp_path / "dump.nq", dump(built))
    source.write_text(article("another"))
    build(project, tmp_path / "other", who="tests", message="", now=NOW)
    said = publish(tmp_path / "other", quads, processes=2).stdout
    for kind in ("ontology", "codes", "entities"):
        assert f"<{GRAPH}{kind}> is as it is in the store already, and left out" in said
    first, second = graphs(built), graphs(tmp_path / "other")
    assert {name: second[name] for name in first} == first
    own = {name for name in graphs(built, Owner.DATA) if DIGEST[:16] in name}
    assert set(second) - set(first) == own | {f"works/{DIGEST[:16]}", f"derived/{DIGEST[:16]}"}


def test_a_dump_with_other_reference_data_is_set_aside_as_far_as_that_goes(
    built: Path, tmp_path: Path
) -> None:
    line = f"<http://ex/x> <http://ex/p> <http://ex/y> <{GRAPH}codes> .\n"
    publish(built, write(tmp_path / "dump.nq", dump(built).decode() + line), code=4)
    reports = (built / "publishing").glob("quarantine-*/*.report.txt")
    reasons = {file.name.rpartition("-")[0]: file.read_text() for file in reports}
    assert set(reasons) == {"codes", DIGEST[:16]}
    assert "is reference data, and not what the store has" in reasons["codes"]


@pytest.mark.parametrize("name", ["missing.ttl", "notes.txt", "empty"])
def test_what_cannot_be_published_is_an_error(built: Path, tmp_path: Path, name: str) -> None:
    write(tmp_path / "notes.txt", "")
    (tmp_path / "empty").mkdir()
    result = run("publish", tmp_path / name, "--store", built, code=3 if "miss" in name else 2)
    assert name in result.stderr


def test_a_store_without_a_build_is_an_error(tmp_path: Path) -> None:
    one = write(tmp_path / "one.ttl", "")
    result = run("publish", one, "--store", tmp_path / "none", code=5)
    assert "kg build" in result.stderr


# --- the fast engine ----------------------------------------------------------------------


def test_the_setting_fast_reaches_the_processes_that_check(built: Path, tmp_path: Path) -> None:
    """The engine here accepts all, and pyshacl, asked as well, contradicts it of each article."""
    for number in range(6):
        unhedged = article(f"{number}").replace("    hedge: are said\n", "")
        write(tmp_path / f"in/{number}.yaml", unhedged)
    path = os.pathsep.join((str(EAGER_ENGINE), environment()["PYTHONPATH"]))
    fast = {"KG_FAST": "1", "KG_FAST_SAMPLE": "1", "PYTHONPATH": path}
    assert "set aside: 6;" in ended(started(built, tmp_path / "in", **fast), code=4)
    reports = [file.read_text() for file in (built / "publishing").glob("quarantine-*/*.txt")]
    told = "the fast engine accepts what pyshacl does not: Violation"
    assert [told in text for text in reports] == [True] * 6


# --- a server beside it -------------------------------------------------------------------


def test_a_server_answers_and_takes_writes_while_something_is_published(
    built: Path, tmp_path: Path
) -> None:
    inputs = articles(tmp_path / "in", 6)
    with writable_server(built, tmp_path / "log", workers=1) as server:
        process = started(built, inputs)
        written = 0
        while process.poll() is None:
            content = f"<http://ex/w{written}> <http://ex/p> {written} ."
            assert server.put(indirect(f"http://ex/w{written}"), content).status in (201, 503)
            assert server.server.query("ASK {}").status == 200
            written += 1
            time.sleep(0.3)
        ended(process)
        assert eventually(lambda: server.release() == head(built).name)
        assert server.ask(f"GRAPH <{GRAPH}claims/{key('3')}> {{ ?s ?p ?o }}")
        refused = server.put(indirect(f"{GRAPH}works/{key('3')}"), "")
        assert (refused.status, refused.problem["type"].rpartition("/")[2]) == (
            403,
            "foreign-graph",
        )
        mine = server.put(indirect("http://ex/w0"), "<http://ex/w0> <http://ex/p> 7 .")
        assert mine.status == 204


def test_a_graph_that_was_published_is_nobodys_to_write(built: Path, tmp_path: Path) -> None:
    publish(built, write(tmp_path / "one.ttl", PLAIN.format("a")), "--graph", "http://ex/one")
    with writable_server(built, tmp_path / "log", workers=1) as server:
        assert server.put(indirect("http://ex/one"), PLAIN.format("b")).status == 403
        again = server.put(indirect("http://ex/other"), PLAIN.format("a"))
        assert (again.status, b"belongs to published" in again.body) == (422, True)


# --- kills --------------------------------------------------------------------------------


def started(store: Path, *arguments: str | Path, **variables: str) -> subprocess.Popen[str]:
    """The command in a process of its own, with two processes below it."""
    command = [sys.executable, "-c", "from kg.cli import main; main()", "publish"]
    return subprocess.Popen(
        [*command, *map(str, arguments), "--store", str(store), "--processes", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment() | variables,
    )


def ended(process: subprocess.Popen[str], code: int = 0) -> str:
    out, errors = process.communicate(timeout=100)
    assert (process.returncode, errors) == (code, "")
    return out


def test_after_kills_at_any_moment_the_same_command_makes_the_same_release(
    built: Path, tmp_path: Path
) -> None:
    inputs = articles(tmp_path / "in", 12)
    subprocess.run(["cp", "-a", built, tmp_path / "untouched"], check=True)
    ended(started(tmp_path / "untouched", inputs))
    choice = random.Random(5)  # noqa: S311 - moments
    moments: list[Callable[[], object]] = [
        lambda: workers_of(process.pid),
        lambda: tasks_done(built) > 0,
        lambda: tasks_done(built) > 2,
        lambda: list((built / "releases").glob(".staging-*")),
    ]
    said = ""
    for moment in moments:
        process = started(built, inputs)
        assert eventually(moment, 40)
        time.sleep(choice.uniform(0, 0.2))
        process.kill()
        said = process.communicate()[0]
    assert re.match(r"resumed: [3-6] of 6 tasks were done\n", said)
    ended(started(built, inputs))
    assert (head(built).digest, head(built).number) == (head(tmp_path / "untouched").digest, 2)


def tasks_done(store: Path) -> int:
    """How many tasks the one journal has."""
    for file in (store / "publishing").glob("*/journal.sqlite"):
        with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as journal:
            return int(journal.execute("SELECT COUNT(*) FROM task").fetchone()[0])
    return 0


def test_a_process_that_is_killed_is_replaced(built: Path, tmp_path: Path) -> None:
    process = started(built, articles(tmp_path / "in", 6))
    children = eventually(lambda: workers_of(process.pid), 20)
    os.kill(children[0], signal.SIGKILL)
    assert "published: 6, with " in ended(process)


def workers_of(pid: int) -> list[int]:
    """The processes below it that work, once there are two."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    named = [
        int(it) for it in children if b"spawn_main" in Path(f"/proc/{it}/cmdline").read_bytes()
    ]
    return named if len(named) == 2 else []


def test_what_needs_too_much_memory_is_set_aside_and_the_rest_lands(
    built: Path, tmp_path: Path
) -> None:
    lines = (f"<http://ex/{n}> <http://ex/p> <http://ex/{n + 1}> .\n" for n in range(400_000))
    write(tmp_path / "in/large.nt", "".join(lines))
    write(tmp_path / "in/small.nt", PLAIN.format("a"))
    process = started(built, tmp_path / "in", KG_WRITER_MEMORY=str(1024 * 1024 * 1024))
    assert "set aside: 1;" in ended(process, code=4)
    (report,) = (built / "publishing").glob("quarantine-*/large-*.report.txt")
    assert "it was killed, or needed more than the 1024 MiB" in report.read_text()
    assert set(graphs(built)) == {"published/small"}


def test_two_of_one_publish_do_not_work_at_once(built: Path, tmp_path: Path) -> None:
    inputs = articles(tmp_path / "in", 6)
    first = started(built, inputs)
    eventually(lambda: list((built / "publishing").glob("*/journal.sqlite")), 20)
    assert "another process is writing" in publish(built, inputs, code=5).stderr
    ended(first)


def test_what_an_old_job_left_is_swept(built: Path, tmp_path: Path) -> None:
    old = write(built / "publishing/0123456789abcdef/journal.sqlite", "")
    before = (datetime.now(UTC) - timedelta(days=8)).timestamp()
    os.utime(old, (before, before))
    said = publish(built, write(tmp_path / "one.ttl", PLAIN.format("a")), "--no-gate").stdout
    assert "removed what an unfinished publish left" in said
    assert not old.parent.exists()


def test_memory_is_bounded_whatever_the_size_of_a_dump(built: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.nq"
    with large.open("w") as target:
        for number in range(300_000):
            target.write(
                f'<http://ex/{number}> <http://ex/p> "{number} {"x" * 60}"'
                f" <http://ex/g{number // 200}> .\n"
            )
    command = [sys.executable, "-c", MEASURED, str(large), "--no-gate", "--store", str(built)]
    ran = subprocess.run(command, capture_output=True, check=True, env=environment())
    # One more says of which release the audit's findings are: without the gate there are no new.
    assert head(built).changes.quads_added == 300_000 + 1
    assert int(ran.stdout.splitlines()[-1]) < 600 * 1024


# --- pieces -------------------------------------------------------------------------------


@given(st.lists(st.text("ab", max_size=6), max_size=12), st.integers(1, 20), st.booleans())
def test_sections_have_every_line_once_and_know_how_many_come_before(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], size: int, ended: bool
) -> None:
    content = ("\n".join(words) + ("\n" if ended else "")).encode()
    file = write(tmp_path_factory.getbasetemp() / "lines", content)
    starts = range(0, len(content), size)
    pieces = [section(file, start, min(start + size, len(content))) for start in starts]
    assert b"".join(pieces) == content
    before = [b"".join(pieces[:number]).count(b"\n") for number in range(len(pieces))]
    counted = [lines_before(file, start) for start in starts]
    assert [(b, p) for b, p in zip(counted, pieces, strict=True) if p] == [
        (b, p) for b, p in zip(before, pieces, strict=True) if p
    ]
