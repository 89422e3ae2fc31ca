"""Files that the tests upload: archives of small images, made without any library."""

import io
import struct
import tarfile
import zlib


def png(side, colour):
    """The bytes of a PNG of one colour."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    row = b"\0" + bytes(colour) * side
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(row * side)) + chunk(b"IEND", b""))


def archive(files, kind="gz"):
    """A tar archive of { path: bytes }; `kind` "" is without compression."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{kind}") as tar:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def pictures(classes, train=12, test=3):
    """Files of a dataset: `train` and `test` images of each class, one fewer from class to class."""
    files = {}
    for place, name in enumerate(classes):
        for split, count in (("train", train), ("test", test)):
            for index in range(count - place):
                files[f"{split}/{name}/{index}.png"] = png(20, (40 * place, 17 * index % 256, 90))
    return files
