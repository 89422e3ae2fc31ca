"""Archives and images that are not what they seem, and clients that stop in the middle of an upload."""

import gzip
import io
import lzma
import os
import re
import struct
import tarfile
import time
import zipfile
import zlib

import wire
from attack import attack
from daemon import ROOT, Daemon

# Memory of a worker that imports what the attacks here send, in MB: one batch of files, one decoded image per
# thread, and the program.
WORKER_PEAK_MB = 250
CORPUS = f"{ROOT}/Scripts/fuzz/Corpus/ImageDecoders"


def png(width, height, rows=None, colour=0):
    """A PNG of one byte per pixel; `rows` are its compressed pixels, if they are not those of that size."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    if rows is None:
        rows = zlib.compress((b"\0" + bytes(index % 251 for index in range(width))) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def corpus(name):
    """An image of the fuzz corpus, whose first byte says how it is fitted."""
    with open(f"{CORPUS}/{name}", "rb") as file:
        return file.read()[1:]


GOOD = [(f"{'cat' if index % 2 else 'dog'}/{index}.png", png(20 + index, 24)) for index in range(20)]


def tar(files, mode="w", **extra):
    """A tar of files: pairs of a name and bytes, or entries with a kind of their own."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode, format=tarfile.GNU_FORMAT, encoding="utf-8",
                      errors="surrogateescape", **extra) as archive:
        for file in files:
            if isinstance(file, tarfile.TarInfo):
                archive.addfile(file)
            else:
                entry = tarfile.TarInfo(file[0])
                entry.size = len(file[1])
                archive.addfile(entry, io.BytesIO(file[1]))
    return target.getvalue()


def package(files):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return target.getvalue()


def special(name, kind, target=""):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


class Peak:
    """The most memory that a worker has used so far."""

    def __init__(self):
        self.mb = 0

    def look(self, daemon):
        for pid in daemon.workers():
            try:
                with open(f"/proc/{pid}/status") as file:
                    self.mb = max(self.mb, int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) / 1024)
            except (OSError, TypeError):
                pass


def imported(context, name, archive, query="side=16&on_bad_image=skip", peak=None, timeout=60):
    """Uploads an archive and waits for its import; gives the dataset."""
    daemon = context.daemon
    answer = daemon.ask("PUT", f"/datasets/{name}?{query}", body=context.sent(archive), timeout=timeout)
    if not context.expect(answer.status == 202, f"{name}: {answer}"):
        return None
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if peak:
            peak.look(daemon)
        dataset = daemon.ask("GET", f"/datasets/{name}").json
        if dataset["state"] != "importing":
            return dataset
        time.sleep(0.02)
    context.expect(False, f"{name}: the import did not end in {timeout} s")
    return None


def expect_failed(context, name, dataset, words):
    """It failed with a message that says one of these words and not where the archive lay."""
    if dataset is None:
        return
    context.expect(dataset["state"] == "failed", f"{name}: {dataset['state']}")
    message = dataset["message"] or ""
    context.expect(any(word in message for word in words), f"{name}: {message}")
    context.expect(context.daemon.data not in message, f"{name}: the message has a path: {message}")


def expect_clean(context, before):
    """Nothing lies where nothing should."""
    daemon = context.daemon
    # The archive of an import that failed is kept for another attempt until its dataset is deleted.
    for dataset in daemon.ask("GET", "/datasets").json["datasets"]:
        if dataset["state"] == "failed" and dataset["source"] == "upload":
            daemon.ask("DELETE", f"/datasets/{dataset['name']}")
    context.expect(not os.listdir(f"{daemon.data}/uploads"), "uploads are left behind")
    context.expect(set(os.listdir(daemon.root)) == before, "something was written beside the data folder")
    escaped = [name for name in os.listdir("/tmp") if name.startswith("vicregd-escaped")]
    context.expect(not escaped, f"something was written to /tmp: {escaped}")


@attack("archives whose paths, links and devices lead elsewhere")
def leading_archives(context):
    before = set(os.listdir(context.daemon.root))
    image = GOOD[0][1]
    paths = ["../../vicregd-escaped.png", "/tmp/vicregd-escaped.png", "a/../../../../tmp/vicregd-escaped.png",
             "cat/" + "n/" * 60 + "deep.png", "cat/" + "x" * 5_000 + ".png", "cat/line\nend.png",
             "cat/\udcff\udcfe.png", "cat/..", "..", "cat\\..\\..\\vicregd-escaped.png"]
    odd = [(path, image) for path in paths]
    links = [special("cat/link.png", tarfile.SYMTYPE, "/etc/passwd"), special("up", tarfile.SYMTYPE, "../../.."),
             ("up/vicregd-escaped.png", image), special("cat/hard.png", tarfile.LNKTYPE, "/etc/passwd"),
             special("cat/device.png", tarfile.CHRTYPE), special("cat/disk.png", tarfile.BLKTYPE),
             special("cat/pipe.png", tarfile.FIFOTYPE)]
    archives = {"tar": tar(odd + links + GOOD), "gz": tar(odd + links + GOOD, "w:gz"),
                "xz": tar(odd + links + GOOD, "w:xz"),
                "zip": package([(path, image) for path in paths if path.isprintable()] + GOOD)}
    for name, archive in archives.items():
        dataset = imported(context, name, archive)
        if dataset is None or not context.expect(dataset["state"] == "ready", f"{name}: {dataset['message']}"):
            continue
        images = sum(dataset["counts"].values())
        # Below a folder that is a link, and behind backslashes, which mean nothing here, an image is an image.
        context.expect(len(GOOD) <= images <= len(GOOD) + 2, f"{name}: {images} images")
        context.expect(dataset["skipped_count"] >= (6 if name == "zip" else 12),
                       f"{name}: {dataset['skipped_count']} were left out")
    expect_clean(context, before)


@attack("archives that unpack to far more than they are, have countless entries, or hold archives",
        daemon=lambda: Daemon("--import-entries-max", "2000", "--import-bytes-max", str(1 << 30)))
def archive_bombs(context):
    before, peak = set(os.listdir(context.daemon.root)), Peak()
    zeros = bytes(1 << 20)

    def repeated(write, pieces):
        for _ in range(pieces):
            write(zeros)

    head = tarfile.TarInfo("cat/zeros.bin")
    head.size = 400 << 20
    squeezed = io.BytesIO()
    with gzip.GzipFile(fileobj=squeezed, mode="w", compresslevel=9) as file:
        file.write(head.tobuf())
        repeated(file.write, 400)
    bomb = squeezed.getvalue()
    expect_failed(context, "size", imported(context, "size", bomb, peak=peak), ["limit"])
    fast = lzma.compress(head.tobuf() + zeros * 100, preset=0)
    expect_failed(context, "xz", imported(context, "xz", fast, peak=peak), ["limit", "cut off"])
    entries = tar([(f"cat/{index}", b"") for index in range(3_000)], "w:gz")
    expect_failed(context, "entries", imported(context, "entries", entries, peak=peak), ["limit \"entries\""])
    swollen = package([("cat/zeros.png", zeros * 300)] + GOOD)
    dataset = imported(context, "image", swollen, peak=peak)
    context.expect(dataset and (dataset["state"] == "ready" or "limit" in dataset["message"]), f"image: {dataset}")
    nested = package([("inner.zip", package([("inner.zip", bomb[:100_000])] + GOOD))] + GOOD)
    dataset = imported(context, "nested", nested, peak=peak)
    context.expect(dataset and dataset["skipped_count"] == 1, f"nested: {dataset}")
    lying = bytearray(package(GOOD))
    # The directory says that the first file has 4 GB.
    place = lying.find(b"PK\1\2")
    lying[place + 24:place + 28] = b"\xfe\xff\xff\xff"
    dataset = imported(context, "lying", bytes(lying), peak=peak)
    context.expect(dataset is not None, "lying: no end")
    context.note(worker_peak_mb=round(peak.mb))
    context.expect(peak.mb < WORKER_PEAK_MB, f"a worker took {peak.mb:.0f} MB, must be < {WORKER_PEAK_MB}")
    expect_clean(context, before)


@attack("images with headers that lie, without end, without bytes, and of every size")
def odd_images(context):
    before, peak = set(os.listdir(context.daemon.root)), Peak()
    jpeg, webp = bytearray(corpus("gray.jpg")), bytearray(corpus("lossy.webp"))
    frame = jpeg.find(b"\xff\xc0")
    jpeg[frame + 5:frame + 9] = b"\x75\x30\x75\x30"
    bad = {
        "zero.png": b"", "zero.jpg": b"", "zero.webp": b"", "text.png": b"hello",
        "header.png": png(30_000, 30_000, rows=b""), "wide.png": png(2 ** 31 - 1, 1, rows=b""),
        # It is what it says: 900 MB of grey pixels in under one.
        "large.png": png(30_000, 30_000, rows=zlib.compress(bytes(30_001) * 30_000, 1)),
        "none.png": png(0, 0, rows=b""), "short.png": png(500, 500, rows=zlib.compress(bytes(1_000))),
        "lying.jpg": bytes(jpeg), "cut.jpg": corpus("gray.jpg")[:200], "cut.webp": corpus("lossy.webp")[:60],
        "lying.webp": bytes(webp[:26] + b"\xff\x3f\xff\x3f" + webp[30:]), "riff.webp": b"RIFF\xff\xff\xff\xffWEBP",
        "swapped.png": corpus("lossy.webp")[:10], "cut.png": corpus("palette.png")[:60],
    }
    fine = {"one.png": png(1, 1), "thin.png": png(1, 3_000), "flat.png": png(3_000, 1)}
    files = [(f"cat/{name}", content) for name, content in {**bad, **fine}.items()] + GOOD
    dataset = imported(context, "odd", package(files), peak=peak)
    if dataset and context.expect(dataset["state"] == "ready", f"{dataset['message']}"):
        left = {one["path"]: one["reason"] for one in dataset["skipped"]}
        missing = [name for name in bad if f"cat/{name}" not in left]
        # libjpeg fills what is cut off with grey, as browsers do.
        context.expect(set(missing) <= {"cut.jpg"}, f"accepted: {missing}")
        context.expect("pixels" in left.get("cat/large.png", ""), f"large.png: {left.get('cat/large.png')}")
        context.expect(not any(f"cat/{name}" in left for name in fine), f"left out: {left}")
        context.expect(all(left.values()), "a reason is empty")
    for name in ("zero.png", "large.png", "lying.jpg"):
        answer = imported(context, name.replace(".", "-"), package([(f"cat/{name}", bad[name])] + GOOD),
                          query="side=16", peak=peak)
        expect_failed(context, name, answer, [f"cat/{name}"])
    context.note(worker_peak_mb=round(peak.mb))
    context.expect(peak.mb < WORKER_PEAK_MB, f"a worker took {peak.mb:.0f} MB, must be < {WORKER_PEAK_MB}")
    expect_clean(context, before)


@attack("archives that are cut off anywhere, or are none")
def cut_archives(context):
    before = set(os.listdir(context.daemon.root))
    whole = {"tar": tar(GOOD), "gz": tar(GOOD, "w:gz"), "xz": tar(GOOD, "w:xz"), "zip": package(GOOD)}
    for kind, archive in whole.items():
        for share in (0.1, 0.5, 0.9):
            name = f"{kind}-{int(share * 100)}"
            dataset = imported(context, name, archive[:int(len(archive) * share)])
            # Behind the last image there are only zeros, or a directory that repeats what was said.
            if dataset and dataset["state"] == "ready" and sum(dataset["counts"].values()) == len(GOOD):
                context.daemon.ask("DELETE", f"/datasets/{name}")
                continue
            expect_failed(context, name, dataset, ["cut off", "must be a tar", "damaged"])
    for name, junk in {"text": b"hello", "zeros": bytes(100_000), "random": os.urandom(100_000),
                       "gzip": gzip.compress(b"no tar"), "elf": b"\x7fELF" + bytes(1_000),
                       "npy": b"\x93NUMPY\1\0\xff\xff"}.items():
        expect_failed(context, name, imported(context, name, junk), ["must be", "damaged", "no images", "images.npy"])
    left = [name for name in os.listdir(f"{context.daemon.data}/datasets")]
    context.expect(not left, f"datasets are left behind: {left}")
    expect_clean(context, before)


@attack("uploads of which half is sent and then nothing", daemon=lambda: Daemon("--body-seconds", "3"))
def silent_uploads(context):
    before = set(os.listdir(context.daemon.root))
    daemon, archive = context.daemon, tar([(f"{index}.png", png(200, 200)) for index in range(200)])
    connections = []
    for index in range(20):
        connection = wire.connect(daemon.port, 15)
        head = wire.request_bytes("PUT", f"/datasets/silent{index}?side=16",
                                  [("Content-Length", str(len(archive)))])
        connection.sendall(context.sent(head + archive[:len(archive) // 2]))
        connections.append(connection)
    for index, connection in enumerate(connections):
        if index % 2:
            connection.close()
            continue
        try:
            answer = wire.read_answer(connection)
            context.expect(answer.status in (400, 408, 503), f"{answer}")
        except ConnectionError:
            pass
        except OSError as error:
            context.expect(False, f"no answer: {type(error).__name__}")
        connection.close()
    context.expect(daemon.wait_for(lambda: not os.listdir(f"{daemon.data}/uploads"), 15), "uploads are left behind")
    for index in range(20):
        context.expect(daemon.ask("GET", f"/datasets/silent{index}").status == 404, "half an upload is a dataset")
    expect_clean(context, before)
