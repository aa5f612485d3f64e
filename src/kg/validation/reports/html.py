"""Findings as one page that needs no network: by article and by shape, to be filtered."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from typing import Final

from kg.validation.report import NONE, Finding
from kg.validation.reports.printable import printable
from kg.validation.reports.report import MOST_FOR_PEOPLE, Report, by_rule, by_unit, summary

_MOST_CHARACTERS: Final = 2000

_STYLE: Final = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere;
  background: Canvas; color: CanvasText; }
details, .filter { border: 1px solid #8888; border-radius: .3rem; margin: .5rem 0; padding: .5rem; }
summary { cursor: pointer; font-weight: 600; }
li { margin: .6rem 0; }
pre { background: #8882; padding: .4rem; overflow-x: auto; margin: .3rem 0; }
.Violation > b { color: #c5221f; } .Warning > b { color: #8a5a00; } .Info > b { color: #1558b0; }
@media (prefers-color-scheme: dark) {
  .Violation > b { color: #ff8a80; } .Warning > b { color: #ffcf66; } .Info > b { color: #8ab4f8; }
}
small { opacity: .85; }
""".strip()

_SCRIPT: Final = """
"use strict";
const form = document.querySelector(".filter");
form.hidden = false;
const items = [...document.querySelectorAll("[data-severity]")];
function filter() {
  const words = form.words.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const shown = new Set([...form.querySelectorAll("[name=severity]:checked")].map(b => b.value));
  const known = new Set([...form.querySelectorAll("[name=severity]")].map(b => b.value));
  let count = 0;
  for (const item of items) {
    const severity = item.dataset.severity;
    const text = (item.textContent + " " + item.dataset.group).toLowerCase();
    item.hidden = (known.has(severity) && !shown.has(severity))
      || !words.every(word => text.includes(word));
    if (!item.hidden && item.id) count += 1;
  }
  for (const group of document.querySelectorAll("details"))
    group.hidden = !group.querySelector("[data-severity]:not([hidden])");
  form.querySelector("output").textContent = count + " shown";
}
form.addEventListener("input", filter);
form.addEventListener("submit", event => event.preventDefault());
filter();
""".strip()

_SEVERITIES: Final = ("Violation", "Warning", "Info")


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


POLICY: Final = (
    f"default-src 'none'; style-src '{_digest(_STYLE)}'; script-src '{_digest(_SCRIPT)}';"
    " base-uri 'none'; form-action 'none'"
)
"""The content security policy of the page: its own style and script, and nothing else."""


def html(report: Report, most: int = MOST_FOR_PEOPLE) -> str:
    """The page; without script everything is shown."""
    shown = _cut(report, most)
    numbers = {id(finding): number for number, finding in enumerate(shown.findings, start=1)}
    return "".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n',
            f"<title>{escape(summary(report))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n",
            *_head(report, len(shown.findings)),
            *_filter(),
            "<section>\n<h2>By article</h2>\n",
            *_by_unit(shown, numbers),
            "</section>\n<section>\n<h2>By shape</h2>\n",
            *_by_rule(shown, numbers),
            f"</section>\n</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n",
        )
    )


def _cut(report: Report, most: int) -> Report:
    return Report(
        findings=report.findings[:most],
        prefixes=report.prefixes,
        root=report.root,
        excerpts=report.excerpts,
    )


def _head(report: Report, shown: int) -> Iterator[str]:
    verdict = "It conforms" if report.conforms else "It does not conform"
    yield f"<h1>{verdict}: {escape(summary(report))}</h1>\n"
    total = len(report.findings)
    if shown < total:
        yield f"<p>Showing {shown:,} of {total:,} findings.</p>\n"
    told = [f"release {report.release}"] if report.release else []
    told += [f"shapes {report.shapes_digest[:12]}"] if report.shapes_digest else []
    told += [f"{len(report.checked):,} checked"] if report.checked else []
    if told:
        yield f"<p>{escape(', '.join(told))}</p>\n"


def _filter() -> Iterator[str]:
    yield '<form class="filter" hidden>\n<label>Filter <input name="words" type="search"></label>\n'
    for name in _SEVERITIES:
        box = f'<input type="checkbox" name="severity" value="{name}" checked>'
        yield f"<label>{box} {name}</label>\n"
    yield '<output aria-live="polite"></output>\n</form>\n'


def _by_unit(report: Report, numbers: dict[int, int]) -> Iterator[str]:
    for name, findings in by_unit(report).items():
        yield f"<details open>\n<summary>{_foreign(name)} ({len(findings):,})</summary>\n<ol>\n"
        for finding in findings:
            group = escape(printable(name))
            yield (
                f'<li id="f{numbers[id(finding)]}" class="{_class(finding)}"'
                f' data-severity="{_class(finding)}" data-group="{group}">\n'
            )
            yield from _finding(finding, report)
            yield "</li>\n"
        yield "</ol>\n</details>\n"


def _by_rule(report: Report, numbers: dict[int, int]) -> Iterator[str]:
    for name, findings in by_rule(report).items():
        yield f"<details>\n<summary>{_foreign(name)} ({len(findings):,})</summary>\n<ul>\n"
        for finding in findings:
            group = escape(printable(name))
            focus = _foreign(report.name(finding.focus_node))
            link = f'<a href="#f{numbers[id(finding)]}">{focus}</a>'
            yield f'<li data-severity="{_class(finding)}" data-group="{group}">'
            yield f"{link}: {_foreign(finding.message)}</li>\n"
        yield "</ul>\n</details>\n"


def _finding(finding: Finding, report: Report) -> Iterator[str]:
    yield f"<b>{_foreign(finding.severity)}</b>: {_foreign(finding.message)}\n"
    if finding.place:
        yield f"<br><small>{_foreign(report.where(finding.place))}</small>\n"
        line = report.excerpts.get(finding.place)
        if line is not None:
            yield f"<pre>{escape(printable(line, 300))}</pre>\n"
    yield f"<br><small>{_about(finding, report)}</small>\n"
    yield from _causes(finding, report)


def _causes(finding: Finding, report: Report) -> Iterator[str]:
    if finding.causes:
        yield "<ul>\n"
        for cause in finding.causes:
            branch = f"{_foreign(cause.branch)}: " if cause.branch else ""
            yield f"<li>{branch}{_foreign(cause.message)} <small>{_about(cause, report)}</small>\n"
            yield from _causes(cause, report)
            yield "</li>\n"
        yield "</ul>\n"


def _about(finding: Finding, report: Report) -> str:
    parts = {
        "node": report.name(finding.focus_node),
        "path": report.path(finding),
        "value": report.name(finding.value),
        "component": finding.component,
        "shape": report.name(finding.shape),
    }
    told = [f"{name} {_foreign(each)}" for name, each in parts.items() if each != NONE]
    told += [f"with {_foreign(report.name(each))}" for each in finding.related]
    return ", ".join(told)


def _class(finding: Finding) -> str:
    """One of the three severities; any other is told in words, and shown always."""
    return finding.severity if finding.severity in _SEVERITIES else "Other"


def _foreign(text: str) -> str:
    """Text of others, which neither ends the element nor turns the direction of ours."""
    return f"<bdi>{escape(printable(text, _MOST_CHARACTERS))}</bdi>"
