"""The README: its queries give the answers that stand below them, its Python runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import kg
from kg.settings import Settings

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text()
QUERIES = re.findall(r"```sparql\n(.+?)```\n+```csv\n(.+?)```", README, re.DOTALL)


def test_the_readme_has_five_queries_with_answers() -> None:
    assert len(QUERIES) == README.count("```sparql") == 5


@pytest.mark.parametrize(("query", "answer"), QUERIES)
def test_a_query_of_the_readme_gives_its_answer(real_store: Path, query: str, answer: str) -> None:
    with kg.open(real_store) as store:
        assert store.query(query, format="csv").decode().replace("\r\n", "\n") == answer


def test_the_python_of_the_readme_runs(real_store: Path) -> None:
    (code,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=real_store.parent,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(REPOSITORY / "src")},
    )
    assert (ran.stderr, ran.stdout.startswith("https://w3id.org/reported-figures/area/")) == (
        "",
        True,
    )


def test_every_folder_of_the_map_is_there() -> None:
    folders = re.findall(r"^\| `([a-z/]+)/` \|", README, re.MULTILINE)
    assert folders
    assert [name for name in folders if not (REPOSITORY / name).is_dir()] == []


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (REPOSITORY / link).is_file()] == []


def test_every_setting_is_in_the_table_of_settings() -> None:
    rows = [
        f"| `{name}` | {text.rpartition(' By default ')[2].rstrip('.')}"
        f" | {text.rpartition(' By default ')[0]} |"
        for name, text in Settings.described().items()
    ]
    table = (REPOSITORY / "docs" / "settings.md").read_text().splitlines()
    assert [line for line in table if line.startswith("| `")] == rows
