"""Data that somebody wants checked without writing it, and what came of it, as messages."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from kg.media import FORMATS, REPORT_FORMATS, YAML_LD, Format
from kg.publishing.messages import error_of
from kg.settings import Settings
from kg.store.wire import Message

_READ = {each.name: each for each in (*FORMATS.values(), YAML_LD)}
_WRITTEN = {each.name: each for each in REPORT_FORMATS}


@dataclass(frozen=True, slots=True)
class Submission:
    """A document, its format, and the format of the report that is wanted."""

    content: bytes
    format: Format
    report: Format


@dataclass(frozen=True, slots=True)
class Verdict:
    """The report, whether the data conforms, and the release whose shapes it was checked with."""

    report: bytes
    conforms: bool
    release: str


def encoded_submission(folder: Path, settings: Settings, submission: Submission) -> Message:
    """Data to be checked with HEAD of the store in `folder`."""
    head = {
        "folder": str(folder),
        "settings": asdict(settings),
        "format": submission.format.name,
        "report": submission.report.name,
    }
    return Message(head, submission.content)


def decoded_submission(message: Message) -> tuple[Path, Settings, Submission]:
    """What `encoded_submission` made the message of."""
    head = message.head
    read, written = _READ[head["format"]], _WRITTEN[head["report"]]
    submission = Submission(message.body, read, written)
    return Path(head["folder"]), Settings(**head["settings"]), submission


def encoded_verdict(verdict: Verdict) -> Message:
    """What came of it."""
    return Message({"conforms": verdict.conforms, "release": verdict.release}, verdict.report)


def verdict_or_error(message: Message) -> Verdict:
    """What came of it; raises the error that the message is of."""
    if "error" in message.head:
        raise error_of(message)
    return Verdict(message.body, message.head["conforms"], message.head["release"])
