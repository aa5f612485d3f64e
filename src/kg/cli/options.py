"""Options that several commands have."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from kg.errors import BadArgument
from kg.project import Project


def _project(ctx: click.Context, option: click.Parameter, folder: Path | None) -> Project:
    return Project.at(folder) if folder else Project.find()


def project_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--project DIR`, given to the command as a Project."""
    return click.option(
        "--project",
        type=click.Path(path_type=Path),
        callback=_project,
        envvar="KG_PROJECT",
        show_envvar=True,
        metavar="DIR",
        help="The folder with ontology/ and data/; by default the one you are in, else the one"
        " that came with kg.",
    )(command)


def check_may_write(ctx: click.Context) -> None:
    """Raises NotAProject where a command that writes would do so in the project of the package."""
    if ctx.get_parameter_source("project") is ParameterSource.DEFAULT:
        Project.find(to_write=True)


def store_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--store DIR`, given to the command as a path."""
    return click.option(
        "--store",
        type=click.Path(path_type=Path),
        default=Path("store"),
        show_default=True,
        envvar="KG_STORE",
        show_envvar=True,
        metavar="DIR",
        help="The folder of the store.",
    )(command)


def user() -> str:
    """Who runs the command; a user of a container may have a number and no name."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # the latter from Python 3.13 on
        return f"uid {os.getuid()}"
    return "".join(each if each.isprintable() else "?" for each in name)


def message_option(help: str, *, required: bool = False) -> Callable[..., Any]:
    """`--message TEXT`, which is written down and shown to others."""
    # A default of None would count as a value that is given.
    missing: dict[str, Any] = {"required": True} if required else {"default": ""}
    return click.option("--message", callback=_message, help=help, **missing)


def _message(ctx: click.Context, option: click.Parameter, text: str) -> str:
    """The text, of whole characters, none of which would steer a terminal."""
    if not all(each.isprintable() or each in "\n\t\u200c\u200d" for each in text):
        raise BadArgument(
            "the message has a character that cannot be shown",
            remedy="Write it in printable characters, as UTF-8.",
        )
    return text


def format_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--format table|json`, given to the command as `written`."""
    return click.option(
        "--format",
        "written",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="How the list is written.",
    )(command)


def text_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--text FILE`, once for each article's text, given to the command as paths."""
    return click.option(
        "--text",
        "texts",
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="FILE",
        help="The text of an article; its digests are checked. May be given more than once.",
    )(command)
