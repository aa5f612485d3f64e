"""A project checked, as a report that says what was looked at and where each finding stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kg.errors import KgError
from kg.project import Project
from kg.publishing.locating import in_graphs, located, turtle_files
from kg.publishing.publish import check
from kg.publishing.sources import BadSources
from kg.publishing.staging import Progress
from kg.publishing.texts import Text
from kg.publishing.verdicts import FILE, Verdicts
from kg.validation.report import finding_of_error
from kg.validation.reports.report import Report, Unit, excerpts


@dataclass(frozen=True, slots=True)
class CheckedReport:
    """The report of a project; `error` is what kept the shapes from looking at it.

    `verified` of its `anchors` were compared with the texts that were supplied.
    """

    report: Report
    articles: int = 0
    anchors: int = 0
    verified: int = 0
    error: KgError | None = None
    verdicts: Verdicts = field(default_factory=Verdicts)
    """What conformed: a check after this one need not look at it again, where it is the same."""


def checked_report(
    project: Project,
    texts: Sequence[Text],
    progress: Progress,
    *,
    before: Verdicts | None = None,
) -> CheckedReport:
    """The report of a project; what conformed `before` is not looked at again.

    Raises what `check` does.
    """
    checked = check(project, texts, progress, before=before)
    findings = located(in_graphs(checked.findings, checked.graphs()), project)
    report = Report(
        findings=findings,
        prefixes=checked.shapes.prefixes,
        checked=_units(project, project.sources(), turtle_files(project)),
        root=project.folder,
        excerpts=excerpts(findings),
        shapes_digest=checked.shapes.digest,
    )
    verified = checked.anchors(texts) if texts else 0
    return CheckedReport(
        report,
        articles=len(checked.staged.units),
        anchors=checked.anchors(),
        verified=verified,
        verdicts=Verdicts.read(checked.files[FILE]),
    )


def unchecked_report(project: Project, error: KgError) -> CheckedReport:
    """The report of a project that cannot be checked: why, and of no file that it conforms."""
    errors = error.errors if isinstance(error, BadSources) else (error,)
    findings = [finding_of_error(each) for each in errors]
    files = {each.place.file for each in findings if each.place}
    ours = sorted(file for file in files if file.is_relative_to(project.folder))
    articles = [file for file in ours if file.is_relative_to(project.articles)]
    others = [file for file in ours if file not in articles]
    report = Report(
        findings=findings,
        checked=_units(project, articles, others),
        root=project.folder,
        # Of a text that was supplied nothing is repeated.
        excerpts=excerpts(each for each in findings if each.place and each.place.file in ours),
    )
    return CheckedReport(report, error=error)


def _units(project: Project, articles: Iterable[Path], others: Iterable[Path]) -> list[Unit]:
    groups = {"articles": articles, "ontology and reference data": others}
    return [
        Unit(group, file.relative_to(project.folder).as_posix())
        for group, files in groups.items()
        for file in files
    ]
