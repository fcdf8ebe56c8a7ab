"""PNG, JPEG and WebP files with nothing but their pixels: no place, no camera, no second picture.

Lossless: what is left are the very bytes that the pixels are decoded from.
"""

from __future__ import annotations

import struct

# Chunks of a PNG that its pixels need. Colours are sRGB here, so nothing else says what they are.
_PNG_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_PNG_LOOKS = {b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"tRNS"}
_PNG_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Segments of a JPEG that it can do without: APP1 to APP13, APP15, and comments. APP0 is JFIF, and
# APP14 is Adobe's, which says how the colours are coded.
_JPEG_DROPPED = {*range(0xE1, 0xEE), 0xEF, 0xFE}
_SOS, _EOI, _RST = 0xDA, 0xD9, range(0xD0, 0xD8)


def bare(data: bytes, kind: str, *, as_seen: bool = False) -> bytes | None:
    """The file with its pixels alone; None where its structure is not understood.

    `as_seen` also keeps what they look like by: the profile, transparency, and which way is up.
    """
    try:
        if kind == "PNG":
            return _bare_png(data, _PNG_PIXELS | (_PNG_LOOKS if as_seen else set()))
        if kind == "JPEG":
            return _bare_jpeg(data, as_seen)
        return _bare_webp(data) if kind == "WEBP" and not as_seen else None
    except (IndexError, ValueError, struct.error):
        return None


def without_texts(data: bytes) -> bytes:
    """A PNG without its texts, however large they are: nothing here reads them."""
    chunks = _chunks(data)
    if not any(name in _PNG_TEXTS for name, _, _ in chunks):
        return data
    kept = [data[start:end] for name, start, end in chunks if name not in _PNG_TEXTS]
    return _SIGNATURE + b"".join(kept)


def without_profile(data: bytes) -> bytes:
    """A PNG without its colour profile."""
    kept = [data[start:end] for name, start, end in _chunks(data) if name != b"iCCP"]
    return _SIGNATURE + b"".join(kept)


def _chunks(data: bytes) -> list[tuple[bytes, int, int]]:
    """Name, start and end of each chunk, up to the last one or to where the file is cut short."""
    found, at = [], len(_SIGNATURE)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        found.append((name, at, min(end, len(data))))
        if name == b"IEND" or end > len(data):
            break
        at = end
    return found


def _bare_png(data: bytes, names: set[bytes]) -> bytes | None:
    if not data.startswith(_SIGNATURE):
        return None
    kept = [data[start:end] for name, start, end in _chunks(data) if name in names]
    return _SIGNATURE + b"".join(kept)


def _bare_webp(data: bytes) -> bytes | None:
    """In the simple format, of one chunk; None where it has transparency in another one."""
    at, end, pixels = 12, len(data), b""
    while at + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, at)
        whole = 8 + length + length % 2
        if name in (b"ALPH", b"ANIM"):
            return None
        if name in (b"VP8 ", b"VP8L") and not pixels:
            pixels = data[at : at + whole]
        at += whole
    return b"RIFF" + struct.pack("<I", 4 + len(pixels)) + b"WEBP" + pixels if pixels else None


def _bare_jpeg(data: bytes, as_seen: bool) -> bytes | None:
    """Segment by segment, to the first end of image: behind it may be a second picture."""
    kept, at = [data[:2]], 2
    while True:
        if data[at] != 0xFF:
            return None
        while data[at + 1] == 0xFF:  # fill bytes
            at += 1
        marker = data[at + 1]
        if marker == _EOI:
            return b"".join([*kept, data[at : at + 2]])
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        if marker == _SOS:
            end = _end_of_scan(data, end)
        segment = data[at:end]
        if marker == 0xE0:
            # The JFIF header alone, without a thumbnail; JFXX is one.
            segment = _JFIF if segment[4:9] == b"JFIF\0" else b""
        if marker not in _JPEG_DROPPED or (as_seen and segment[4:15] == b"ICC_PROFILE"):
            kept.append(segment)
        elif as_seen and segment[4:10] == b"Exif\0\0" and (up := _orientation(segment[10:])) != 1:
            kept.append(_EXIF + struct.pack("<HHIHHI", 0x0112, 3, 1, up, 0, 0))
        at = end


def _orientation(exif: bytes) -> int:
    """Which way is up, 1 to 8 (tag 0x0112 of EXIF)."""
    order = ">" if exif.startswith(b"MM") else "<"
    (at,) = struct.unpack_from(order + "I", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, at)
    for number in range(min(count, 200)):
        tag, _, _, value = struct.unpack_from(order + "HHIH", exif, at + 2 + 12 * number)
        if tag == 0x0112 and value in range(1, 9):
            return int(value)
    return 1


# EXIF data of one single entry.
_EXIF = b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0"


_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the next marker stands that is not one of the scan's own."""
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] != 0 and data[at + 1] not in _RST and data[at + 1] != 0xFF:
            return at
        at += 1 if data[at + 1] == 0xFF else 2
