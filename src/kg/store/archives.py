"""The file of a backup: a tar packed with zstd, whose first member lists all others.

The list has the size and the SHA-256 of each file, so nothing is taken from the archive that is
not what was put there, nor more of it; a file with several names is there once, and its other
names are hard links. It also says which store it is: format, HEAD, and the releases with their
digests.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

from kg.errors import NotABackup

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FORMAT: Final = 1
_LIST: Final = "kg-backup.json"
_PIECE: Final = 1024 * 1024
_LONGEST_LIST: Final = 512 * 1024 * 1024
_PATH: Final = re.compile(
    r"kg-store\.json|HEAD|tokens\.json|moves\.jsonl|removed\.jsonl"
    r"|(?:tags|citations)/[^/\0]+|releases/\d+-[0-9a-f]{12}(?:/[^/\0]+)+"
)
_PACKED: Final[Mapping[int, int]] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.checksum_flag: 1,
}

Content = Path | bytes


@dataclass(frozen=True, slots=True)
class Member:
    """One file: its path in the store, and what it holds, or of which other it is a hard link."""

    path: str
    size: int = 0
    sha256: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: `releases` are digests by name, `kg` is the version that made it."""

    kg: str
    made: str
    store_format: int
    head: str
    releases: Mapping[str, str]
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """Bytes of all files, each counted once."""
        return sum(member.size for member in self.members)

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the list, and so of everything that it lists."""
        return hashlib.sha256(_written(self)).hexdigest()


def write_archive(
    target: IO[bytes],
    contents: Contents,
    sources: Mapping[str, Content],
    report: Callable[[int], None],
) -> None:
    """Write the archive of these files, by path in the store; `report` hears of bytes read."""
    with (
        zstd.open(target, "wb", options=_PACKED) as packed,
        tarfile.open(fileobj=packed, mode="w|", bufsize=_PIECE, format=tarfile.PAX_FORMAT) as tar,
    ):
        listed = _written(contents)
        tar.addfile(_head(Member(_LIST, len(listed))), io.BytesIO(listed))
        for member in contents.members:
            if member.link:
                tar.addfile(_head(member))
                continue
            with _open(sources[member.path]) as content:
                tar.addfile(_head(member), _Watched(content, report))  # type: ignore[arg-type]


def read_archive(
    file: Path,
    begin: Callable[[Contents], None],
    put: Callable[[Member, Iterable[bytes]], None],
) -> Contents:
    """Read an archive and check all of it: `begin` gets its list, then `put` each file.

    `put` must read the content to its end, where it is checked. Raises NotABackup, and what the
    two functions raise.
    """
    try:
        return _read(file, begin, put)
    except _Damaged as error:
        raise NotABackup(file, str(error)) from error


def digest_of(content: Content, report: Callable[[int], None]) -> str:
    """SHA-256 in hex of a file, or of bytes."""
    digest = hashlib.sha256()
    with _open(content) as source:
        while piece := source.read(_PIECE):
            digest.update(piece)
            report(len(piece))
    return digest.hexdigest()


# --- writing ------------------------------------------------------------------------------


def _written(contents: Contents) -> bytes:
    listed: dict[str, Any] = {"kg-backup": FORMAT} | asdict(contents)
    return (json.dumps(listed, ensure_ascii=False, indent=1) + "\n").encode()


def _head(member: Member) -> tarfile.TarInfo:
    head = tarfile.TarInfo(member.path)
    head.size = member.size
    head.mode = mode_of(member.path)
    if member.link:
        head.type, head.linkname = tarfile.LNKTYPE, member.link
    return head


def mode_of(path: str) -> int:
    """The permissions of a file of the store: the tokens' digests are their owner's alone."""
    return 0o600 if path == "tokens.json" else 0o644


def _open(content: Content) -> IO[bytes]:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


class _Watched:
    """A file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], report: Callable[[int], None]) -> None:
        self._file = file
        self._report = report

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self._report(len(piece))
        return piece


# --- reading ------------------------------------------------------------------------------


class _Damaged(Exception):
    """Why an archive is none."""


@contextmanager
def _reading() -> Iterator[None]:
    """Errors of the archive as _Damaged; those of whoever takes its files arise elsewhere."""
    try:
        yield
    except EOFError as error:
        raise _Damaged("its end is missing") from error
    except (zstd.ZstdError, tarfile.TarError) as error:
        raise _Damaged(f"it is damaged, or no backup of kg ({error})") from error
    except OSError as error:
        raise _Damaged(f"it cannot be read: {error.strerror or error}") from error


def _read(
    file: Path,
    begin: Callable[[Contents], None],
    put: Callable[[Member, Iterable[bytes]], None],
) -> Contents:
    with ExitStack() as opened:
        with _reading():
            packed = opened.enter_context(file.open("rb"))
            unpacked = _Followed(opened.enter_context(zstd.open(packed, "rb")))
            tar = opened.enter_context(
                tarfile.open(fileobj=unpacked, mode="r|", bufsize=_PIECE, errorlevel=2)  # type: ignore[call-overload]
            )
        contents = _contents(tar)
        begin(contents)
        for member in contents.members:
            put(member, _content(tar, member))
        with _reading():
            if tar.next() is not None:
                raise _Damaged("it has more files than it lists")
            # The reader of tar stops at its mark; what follows shows that all of it is there.
            if not unpacked.ends_at(tar.offset):
                raise _Damaged("something follows its end")
    return contents


class _Followed:
    """A file that is read in pieces; it can tell what follows a place in the last of them."""

    def __init__(self, file: zstd.ZstdFile) -> None:
        self._file = file
        self._last = b""
        self._end = 0

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self._last = (self._last + piece)[-2 * _PIECE :]
        self._end += len(piece)
        return piece

    def ends_at(self, place: int) -> bool:
        """Whether nothing but zeros follows, and not many."""
        after = self._last[len(self._last) - (self._end - place) :]
        return not (after + self._file.read(_PIECE)).strip(b"\0") and not self._file.read(1)


def _contents(tar: tarfile.TarFile) -> Contents:
    with _reading():
        first = tar.next()
        source = tar.extractfile(first) if first and first.isreg() else None
        if first is None or source is None or first.name != _LIST or first.size > _LONGEST_LIST:
            raise _Damaged("it is no backup of kg: it does not begin with a list of its files")
        listed = source.read()
    try:
        read = json.loads(listed)
        _check_format(read.pop("kg-backup"), read)
        members = tuple(Member(**member) for member in read.pop("members"))
        contents = Contents(members=members, **read)
        _check_members(contents)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise _Damaged(f"its list of files is garbled: {error}") from error
    return contents


def _check_format(met: object, read: Mapping[str, object]) -> None:
    if met != FORMAT:
        by = read.get("kg")
        raise _Damaged(
            f"it is a backup of format {met!r}, written by kg {by}; this kg reads format {FORMAT},"
            f" and that one is installed with pip install kg=={by}"
        )


def _check_members(contents: Contents) -> None:
    """Each path is one that a store has, given once; links lead to files before them."""
    seen: dict[str, Member] = {}
    for member in contents.members:
        parts = member.path.split("/")
        if not _PATH.fullmatch(member.path) or ".." in parts or "." in parts:
            raise _Damaged(f"it lists {member.path!r}, which is no file of a store")
        if member.path in seen or member.size < 0:
            raise _Damaged(f"it lists {member.path!r} twice, or without a size")
        if member.link and (member.link not in seen or seen[member.link].link or member.size):
            raise _Damaged(f"it lists {member.path!r} as a link to {member.link!r}, which is none")
        seen[member.path] = member
    if not {"kg-store.json", "HEAD"} <= seen.keys() or contents.head not in contents.releases:
        raise _Damaged("it lists no whole store")


def _content(tar: tarfile.TarFile, member: Member) -> Iterable[bytes]:
    with _reading():
        head = tar.next()
        if head is None:
            raise _Damaged(f"{member.path} is missing")
        tarfile.data_filter(head, "/")  # raises for devices, and for what lies outside
    listed = _head(member)
    if (head.type, head.name, head.linkname, head.size) != (
        listed.type,
        listed.name,
        listed.linkname,
        listed.size,
    ):
        raise _Damaged(f"{head.name} stands in it where {member.path} is listed")
    return () if member.link else _pieces(tar, head, member)


def _pieces(tar: tarfile.TarFile, head: tarfile.TarInfo, member: Member) -> Iterator[bytes]:
    with _reading():
        source = tar.extractfile(head)
    digest, left = hashlib.sha256(), member.size
    while left:
        with _reading():
            piece = source.read(min(_PIECE, left)) if source else b""
        if not piece:
            raise _Damaged(f"{member.path} is cut")
        digest.update(piece)
        left -= len(piece)
        yield piece
    if digest.hexdigest() != member.sha256:
        raise _Damaged(f"{member.path} is not what was put there")
