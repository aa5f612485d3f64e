"""`kg audit`: what the audit found in the built release."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import click

from kg.cli.options import store_option
from kg.errors import BadArgument
from kg.namespaces import USUAL_PREFIXES
from kg.publishing.reauditing import audited_anew
from kg.query.findings import AuditFinding, audited_release, findings, new_since
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from kg.validation.report import finding_of_audit
from kg.validation.reports.formats import WRITERS
from kg.validation.reports.report import Report

_ANEW = "since then more was written than a write is audited up to; kg build audits all"
_COLOURS = {"Warning": "yellow", "Info": "blue"}


@click.command()
@store_option
@click.option(
    "--rule", "rules", multiple=True, metavar="RULE", help="Only of this rule, such as W1."
)
@click.option(
    "--severity",
    type=click.Choice(["Warning", "Info"], case_sensitive=False),
    help="Only of this severity.",
)
@click.option(
    "--since", metavar="RELEASE", help="Only what is new, or says something else, since then."
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
    "--fresh",
    is_flag=True,
    help="Audit all that is public anew, without writing, and say whether the findings differ.",
)
def audit(
    store: Path,
    rules: tuple[str, ...],
    severity: str | None,
    since: str | None,
    written: str,
    fresh: bool,
) -> None:
    """Show what does not fit together in the figures of the built release.

    Builds and writes run the rules of ontology/audit/ over all that is public, and keep their
    findings as graphs; those that are of an earlier release are told to be. A finding never
    blocks a write, and never says who is right: it names its claims, the numbers that it
    computed, and a verdict. The exit code is 0 whatever is found.
    """
    if fresh:
        if rules or severity or since or written != "text":
            raise BadArgument("--fresh compares all findings", remedy="Give it alone.")
        _compare(store)
        return
    wanted = {rule.upper() for rule in rules}
    settings = Settings.read(workers=1)
    with EmbeddedStore(store, settings) as opened:
        found, release = findings(opened, settings), opened.release().name
        audited = audited_release(opened, settings)
        if since:
            found = new_since(found, findings(opened, settings, since))
    shown = [
        finding
        for finding in found
        if (not wanted or finding.rule.upper() in wanted)
        and (not severity or finding.severity == severity)
    ]
    if written == "text":
        _show(shown)
    elif written == "json":
        click.echo(json.dumps([dataclasses.asdict(each) for each in shown], indent=2))
    else:
        click.echo(WRITERS[written](_report(shown, release)), nl=False)
    if audited:
        click.echo(f"these are the findings of release {audited}: {_ANEW}", err=True)


def _report(shown: Sequence[AuditFinding], release: str) -> Report:
    told = [
        finding_of_audit(
            each.rule, each.severity, each.verdict, each.message, [it.iri for it in each.concerned]
        )
        for each in shown
    ]
    return Report(findings=told, prefixes=USUAL_PREFIXES, release=release)


def _compare(store: Path) -> None:
    """Say in which findings a full audit of HEAD differs from what HEAD has."""
    compared = audited_anew(store)
    for sign, group in (("-", compared.gone), ("+", compared.new)):
        for line in group:
            click.echo(f"{sign} {line}")
    same = "the findings are those of a full audit"
    differ = f"{len(compared.new)} triples are new, and {len(compared.gone)} are of no finding now"
    click.echo(f"release {compared.release}: {differ if compared.differs else same}")


def _show(shown: Sequence[AuditFinding]) -> None:
    for rule, group in itertools.groupby(shown, key=lambda finding: finding.rule):
        click.echo(click.style(rule, bold=True))
        for finding in group:
            _show_one(finding)
        click.echo()
    warnings = sum(finding.severity == "Warning" for finding in shown)
    click.echo(f"{len(shown)} findings, {warnings} of them warnings")


def _show_one(finding: AuditFinding) -> None:
    severity = click.style(finding.severity, fg=_COLOURS.get(finding.severity), bold=True)
    why = "; ".join(each for each in (finding.reason, finding.reading) if each)
    verdict = f"{finding.verdict} ({why})" if why else finding.verdict
    click.echo(f"  {severity}: {verdict}: {finding.message}")
    for claim in finding.concerned:
        wording = f" “{claim.wording}”" if claim.wording else ""
        click.echo(f"      {claim.source}: {claim.place}{wording}")
