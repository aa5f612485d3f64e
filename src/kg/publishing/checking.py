"""A project checked, as a report that says what was looked at and where each finding stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kg.project import Project
from kg.publishing.locating import in_graphs, located, turtle_files
from kg.publishing.publish import check
from kg.publishing.sources import BadSources
from kg.publishing.staging import Progress
from kg.publishing.texts import Text
from kg.publishing.verdicts import FILE, Verdicts
from kg.validation.report import Finding, finding_of_error
from kg.validation.reports.report import Report, Unit, excerpts


@dataclass(frozen=True, slots=True)
class CheckedReport:
    """The report of a project; `unreadable` where a source could not be read.

    `verified` of its `anchors` were compared with the texts that were supplied.
    """

    report: Report
    articles: int
    anchors: int
    verified: int
    unreadable: bool = False
    verdicts: Verdicts = field(default_factory=Verdicts)
    """What conformed: a check after this one need not look at it again, where it is the same."""


def checked_report(
    project: Project,
    texts: Sequence[Text],
    progress: Progress,
    *,
    unreadable_as_findings: bool = False,
    before: Verdicts | None = None,
) -> CheckedReport:
    """The report of a project; what conformed `before` is not looked at again.

    Raises what `check` does. With `unreadable_as_findings` what is wrong with sources is in the
    report instead.
    """
    try:
        checked = check(project, texts, progress, before=before)
    except BadSources as error:
        if not unreadable_as_findings:
            raise
        findings = [finding_of_error(each) for each in error.errors]
        return CheckedReport(_report(project, findings), 0, 0, 0, unreadable=True)
    findings = located(in_graphs(checked.findings, checked.graphs()), project)
    report = _report(project, findings, checked.shapes.prefixes, checked.shapes.digest)
    verified = checked.anchors(texts) if texts else 0
    return CheckedReport(
        report,
        articles=len(checked.staged.units),
        anchors=checked.anchors(),
        verified=verified,
        verdicts=Verdicts.read(checked.files[FILE]),
    )


def _report(
    project: Project,
    findings: Sequence[Finding],
    prefixes: Mapping[str, str] | None = None,
    digest: str = "",
) -> Report:
    return Report(
        findings=findings,
        prefixes=prefixes or {},
        checked=[
            *_units("articles", project.sources(), project),
            *_units("ontology and reference data", turtle_files(project), project),
        ],
        root=project.folder,
        excerpts=excerpts(findings),
        shapes_digest=digest,
    )


def _units(group: str, files: Sequence[Path], project: Project) -> list[Unit]:
    return [Unit(group, file.relative_to(project.folder).as_posix()) for file in files]
