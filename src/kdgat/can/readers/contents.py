"""The bytes of a log file, out of gz and zip."""

import gzip
import io
import zipfile
import zlib
from pathlib import Path

from kdgat.errors import DataError

GZIP_MAGIC, ZIP_MAGIC = b"\x1f\x8b", b"PK\x03\x04"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

DEEPEST = 3
"""Archives in one another, at most."""


def read_contents(path: Path) -> bytes:
    """Read a file and unpack it, gz and zip by content, also one in the other.

    Raises:
        DataError: The file cannot be read or unpacked, or an archive holds not exactly one file.
    """
    try:
        contents = path.read_bytes()
        for _ in range(DEEPEST):
            if contents.startswith(GZIP_MAGIC):
                contents = gzip.decompress(contents)
            elif contents.startswith(ZIP_MAGIC):
                contents = _only_member(path, contents)
            else:
                break
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    return contents


def _only_member(path: Path, contents: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        members = [
            name
            for name in archive.namelist()
            if not name.endswith("/") and not name.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            raise DataError(
                f"{path} holds {len(members)} files ({', '.join(members[:3])}...); a zip of a "
                "capture holds exactly one: unpack it."
            )
        return archive.read(members[0])
