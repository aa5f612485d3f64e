"""Pictures with few colours: PNG files of 24 bits a pixel, written again with a palette."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOURS: Final = 256

Colour = tuple[int, int, int]


def with_palette(picture: bytes) -> bytes:
    """The picture with its 256 most frequent colours; the others become the nearest of these."""
    chunks = list(chunks_of(picture))
    width, height, depth, kind, *_ = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (depth, kind) == (8, 2), "it is no picture of Chromium's"
    packed = b"".join(content for name, content in chunks if name == b"IDAT")
    rows = list(_rows(zlib.decompress(packed), width * 3))
    pixels = [list(zip(row[::3], row[1::3], row[2::3], strict=True)) for row in rows]
    counts = Counter(colour for row in pixels for colour in row)
    palette = [colour for colour, _ in counts.most_common(_COLOURS)]
    numbers = {colour: _nearest(colour, palette) for colour in counts}
    content = b"".join(b"\0" + bytes(numbers[colour] for colour in row) for row in pixels)
    return SIGNATURE + b"".join(
        _chunk(*each)
        for each in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", bytes(part for colour in palette for part in colour)),
            (b"IDAT", zlib.compress(content, 9)),
            (b"IEND", b""),
        )
    )


def chunks_of(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and the content of each chunk, whose sums must hold (PNG, section 5.3)."""
    assert picture.startswith(SIGNATURE)
    at = len(SIGNATURE)
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        chunk, end = picture[at + 4 : at + 8 + length], at + 8 + length
        assert struct.unpack(">I", picture[end : end + 4]) == (zlib.crc32(chunk),)
        yield chunk[:4], chunk[4:]
        at = end + 4


def _rows(content: bytes, width: int) -> Iterator[bytearray]:
    """Each row with its filter undone (PNG, section 9.2)."""
    above = bytearray(width)
    for start in range(0, len(content), width + 1):
        filter, row = content[start], bytearray(content[start + 1 : start + 1 + width])
        for at in range(width) if filter else ():
            left, up = (row[at - 3] if at > 2 else 0), above[at]
            corner = above[at - 3] if at > 2 else 0
            add = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[filter]
            row[at] = (row[at] + add) & 255
        yield row
        above = row


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))


def _nearest(colour: Colour, palette: list[Colour]) -> int:
    def distance(number: int) -> int:
        return sum((one - other) ** 2 for one, other in zip(colour, palette[number], strict=True))

    return min(range(len(palette)), key=distance)


def _chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )
