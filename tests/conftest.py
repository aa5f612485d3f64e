"""What tests of several floors need: a project in miniature, its text, and its store."""

from __future__ import annotations

import datetime
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from kg.project import Project
from kg.publishing.publish import publish
from kg.publishing.texts import Text

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

REPOSITORY = Path(__file__).parents[1]
FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything that a test needs is there, so that a skip is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("KG_SKIP_IS_FAILURE") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("KG_") and name != "KG_W3C_TESTS"]:
        monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of the miniature that a test may change, with the real ontology."""
    folder = tmp_path / "project"
    shutil.copytree(FIXTURES / "project", folder)
    shutil.copytree(REPOSITORY / "ontology", folder / "ontology")
    return Project.at(folder)


@pytest.fixture
def source(project: Project) -> Path:
    """The source of the miniature's one article."""
    (file,) = project.sources()
    return file


@pytest.fixture
def text() -> Text:
    """The text of the miniature's one article."""
    return Text.read(FIXTURES / "harbour.txt")


@pytest.fixture(scope="session")
def _built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(FIXTURES / "project", folder / "project")
    shutil.copytree(REPOSITORY / "ontology", folder / "project" / "ontology")
    project = Project.at(folder / "project")
    publish(project, folder / "store", who="tests", message="first", now=NOW)
    return folder / "store"


@pytest.fixture
def built(_built_once: Path, tmp_path: Path) -> Path:
    """A store with one release of the miniature, which a test may change."""
    return shutil.copytree(_built_once, tmp_path / "store")


@pytest.fixture(scope="session")
def real_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one release of our own project."""
    store = tmp_path_factory.mktemp("real") / "store"
    publish(Project.at(REPOSITORY), store, who="tests", message="", now=NOW)
    return store
