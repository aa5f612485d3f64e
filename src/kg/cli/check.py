"""`kg check`: what is wrong with the project, without writing a release."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from kg.cli.options import check_may_write, project_option, text_option
from kg.cli.show import progress
from kg.cli.watch import watched
from kg.errors import BadArgument, KgError
from kg.project import Project
from kg.publishing.checking import CheckedReport, checked_report, unchecked_report
from kg.publishing.placing import write_places
from kg.publishing.texts import Text
from kg.publishing.verdicts import Verdicts
from kg.validation.reports.formats import WRITERS
from kg.validation.reports.report import Report, summary
from kg.validation.reports.text import text as report_text

_FAIL_ON = ("violation", "warning", "info")


@click.command()
@project_option
@text_option
@click.option(
    "--write",
    is_flag=True,
    help="Turn places that are given by their incipit into positions, and write all digests.",
)
@click.option(
    "--format",
    "written",
    type=click.Choice(sorted(WRITERS)),
    default="text",
    show_default=True,
    help="How the findings are written.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the report goes; by default to standard output, and text to standard error.",
)
@click.option(
    "--fail-on",
    type=click.Choice(_FAIL_ON),
    default="violation",
    show_default=True,
    help="The least severity that ends with exit code 4.",
)
@click.option(
    "--watch",
    is_flag=True,
    help="Check again whenever a file of ontology/ or data/ changes, until Ctrl-C.",
)
@click.pass_context
def check(
    ctx: click.Context,
    project: Project,
    texts: tuple[Path, ...],
    write: bool,
    written: str,
    output: Path | None,
    fail_on: str,
    watch: bool,
) -> None:
    """Check the project: sources, rules, shapes.

    Reports everything that is wrong with file, line and key, and ends with 0 where a build
    would land, 3 where something cannot be read, 4 where the shapes find a violation, or what
    --fail-on names.

    While writing, a place in the text may be {incipit: some first words, through: last words,
    occurrence: 2}, with at most six words each; `kg check --write --text FILE` makes positions
    of it, within the block that it stands in, and writes the digests. The source is left as it
    was where a place cannot be found.
    """
    if write:
        check_may_write(ctx)
        _write(project, [Text.read(file) for file in texts])

    before = Verdicts()

    def once() -> int:
        nonlocal before
        checked = _checked(project, texts, before, as_findings=written != "text")
        before = before if checked.error else checked.verdicts
        _tell(checked.report, written, output)
        if written == "text":
            _conclude(checked, project)
        return _exit_code(checked, fail_on)

    ctx.exit(watched(project, once) if watch else once())


def _checked(
    project: Project, texts: tuple[Path, ...], before: Verdicts, *, as_findings: bool
) -> CheckedReport:
    try:
        supplied = [Text.read(file) for file in texts]
        with progress() as report:
            return checked_report(project, supplied, report, before=before)
    except KgError as error:
        if not as_findings:
            raise
        return unchecked_report(project, error)


def _tell(report: Report, written: str, output: Path | None) -> None:
    """Write the report; text without findings is said in the conclusion alone."""
    if output is not None:
        output.write_text(WRITERS[written](report), encoding="utf-8")
    elif written != "text":
        click.echo(WRITERS[written](report), nl=False)
    elif report.findings:
        shown = replace(report, root=_folder_of_names(report))
        click.echo(report_text(shown, colour=True), err=True, nl=False)


def _folder_of_names(report: Report) -> Path | None:
    """The working folder, from which a terminal opens a file, where the project lies in it."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # it was deleted
        return report.root
    if report.root is None or not report.root.is_absolute():
        return None
    return here if report.root.is_relative_to(here) else report.root


def _conclude(checked: CheckedReport, project: Project) -> None:
    report = checked.report
    if not report.conforms:
        return
    articles, findings = checked.articles, len(report.findings)
    told = f" ({summary(report)})" if findings else ""
    click.echo(f"{project.folder}: conforms; {articles} articles, {findings} findings{told}")
    click.echo(f"{checked.verified} of {checked.anchors} anchors verified against their text")


def _exit_code(checked: CheckedReport, fail_on: str) -> int:
    if checked.error:
        return checked.error.exit_code
    counted = {name.capitalize() for name in _FAIL_ON[: _FAIL_ON.index(fail_on) + 1]}
    return 4 if any(each.severity in counted for each in checked.report.findings) else 0


def _write(project: Project, texts: list[Text]) -> None:
    if not texts:
        raise BadArgument(
            "--write needs the article's text", remedy="Add --text FILE with the text's file."
        )
    for text in texts:
        file = write_places(project.sources(), text)
        click.echo(f"{file} written" if file else f"{text.file}: every place was written already")
