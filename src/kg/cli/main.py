"""The `kg` command: its subcommands, and how an error ends it."""

from __future__ import annotations

import click

from kg.cli.audit import audit
from kg.cli.backup import backup
from kg.cli.build import build
from kg.cli.check import check
from kg.cli.cite import cite
from kg.cli.diff import diff
from kg.cli.doctor import doctor
from kg.cli.new import new
from kg.cli.prune import prune
from kg.cli.publish import publish
from kg.cli.query import query
from kg.cli.releases import releases
from kg.cli.restore import restore
from kg.cli.rollback import rollback
from kg.cli.serve import serve
from kg.cli.settings import settings
from kg.cli.show import show_error
from kg.cli.tag import tag
from kg.cli.token import token
from kg.cli.verify import verify
from kg.errors import KgError
from kg.settings import Settings


class Commands(click.Group):
    """A group whose commands end with the message and the exit code of a KgError."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a KgError becomes a message on standard error."""
        try:
            return super().invoke(ctx)
        except KgError as error:
            show_error(error)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            raise  # whoever reads the output has enough; click ends quietly
        except OSError as error:
            file = f"{error.filename}: " if error.filename else ""
            show_error(KgError(f"{file}{error.strerror or error}"))
            ctx.exit(KgError.exit_code)


def _settings() -> str:
    lines = (f"  {name}\n      {sentence}" for name, sentence in Settings.described().items())
    return "\n".join(lines)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"""
\b
Exit codes:
  0  done
  1  an error that is none of these
  2  a wrong option, argument, format or setting
  3  a project, source, rule or shapes file is wrong
  4  the gate found violations; nothing was written, or what they are about was set aside
  5  the store cannot be opened or written
  6  the query must change
  7  the query could not be answered: deadline, memory, size, worker
  8  the address is in use
  9  a citation does not hold: its result is not the same, or its release is gone

Settings come from kg.toml in this folder, from the environment, such as
KG_DEADLINE=10, or from a flag, the later the stronger; kg settings shows them.

\b
{_settings()}
""",
)
@click.version_option(package_name="kg")
def main() -> None:
    """A knowledge-graph store for reported facts.

    A project folder holds ontology/ and data/. `kg build` makes a release of it in a store,
    `kg serve` answers SPARQL over HTTP from that store, `kg query` from the command line.
    """


for command in (
    audit,
    backup,
    build,
    check,
    cite,
    diff,
    doctor,
    new,
    prune,
    publish,
    query,
    releases,
    restore,
    rollback,
    serve,
    settings,
    tag,
    token,
    verify,
):
    main.add_command(command)
