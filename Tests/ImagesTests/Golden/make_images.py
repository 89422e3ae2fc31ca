"""Writes images of every kind and what Pillow makes of them.

    python make_images.py

`images.json` lists the cases: file, side, fit, channels, and where the expected bytes lie in `expected.bin.gz`,
`[side][side][channels]`. Made with Pillow 10 or later and NumPy.
"""

import gzip
import io
import json
import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

folder = Path(__file__).parent
random = np.random.default_rng(7)


def scene(height, width):
    """Something smooth with edges, in colour."""
    y, x = np.mgrid[0:height, 0:width]
    wave = np.sin(x / 7)[..., None] * [90, 40, 10] + np.cos(y / 11)[..., None] * [20, 70, 100] + 120
    wave[(x - width / 3) ** 2 + (y - height / 2) ** 2 < (min(height, width) / 4) ** 2] = [230, 20, 60]
    wave[height // 8, :] = [10, 240, 30]
    return Image.fromarray(np.clip(wave + random.normal(0, 3, wave.shape), 0, 255).astype(np.uint8))


def alpha(image):
    image = image.convert("RGBA")
    x = np.linspace(0, 255, image.width).astype(np.uint8)
    image.putalpha(Image.fromarray(np.tile(x, (image.height, 1))))
    return image


def onto_white(image):
    if image.mode in ("RGBA", "LA", "PA"):
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image


def chunk(kind, data):
    import zlib

    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(array, color, depth, *, interlaced=False, extra=b""):
    """A PNG written by hand: kinds that Pillow does not write. `array` is [height][row bytes], or a pixel array to
    interlace (8 bits)."""
    import zlib

    height, width = array.shape[0], array.shape[1] if depth < 16 or array.ndim == 3 else array.shape[1]
    if depth < 8:
        rows = [np.packbits(np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - depth:].ravel()) for row in array]
        data = b"".join(b"\0" + row.tobytes() for row in rows)
    elif interlaced:
        data = b""
        for y0, x0, dy, dx in [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
                               (1, 0, 2, 1)]:
            part = array[y0::dy, x0::dx]
            if part.shape[0] and part.shape[1]:
                data += b"".join(b"\0" + np.ascontiguousarray(row).tobytes() for row in part)
    else:
        data = b"".join(b"\0" + np.ascontiguousarray(row).tobytes() for row in array)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(data, 9))
            + chunk(b"IEND", b""))


files = {}
truth = {}


def add(name, image, expected=None, **options):
    buffer = io.BytesIO()
    image.save(buffer, name.split(".")[-1].replace("jpg", "jpeg"), **options)
    files[name] = buffer.getvalue()
    truth[name] = expected


wide, tall, tiny = scene(60, 90), scene(101, 67), scene(1, 1)
add("rgb.png", wide)
add("gray.png", wide.convert("L"))
add("palette.png", wide.quantize(16))
add("alpha.png", alpha(tall))
add("gray-alpha.png", alpha(tall).convert("LA"))
add("one-pixel.png", tiny)
mask = wide.quantize(8)
add("palette-alpha.png", mask, transparency=bytes([0, 80, 160, 255, 255, 255, 255, 255]))
values = np.asarray(wide).astype(np.uint16)
deep = values * 257 + 3
files["rgb16.png"] = png(deep.astype(">u2"), 2, 16)
truth["rgb16.png"] = Image.fromarray((deep / 257).round().astype(np.uint8))
grays = np.asarray(wide.convert("L")).astype(np.uint16) * 257
files["gray16.png"] = png(grays.astype(">u2"), 0, 16)
truth["gray16.png"] = wide.convert("L")
bits = np.asarray(wide.convert("L")) // 128
files["bits.png"] = png(bits, 0, 1)
truth["bits.png"] = Image.fromarray((bits * 255).astype(np.uint8))
fours = np.asarray(wide.convert("L")) // 16
files["four-bits.png"] = png(fours, 0, 4)
truth["four-bits.png"] = Image.fromarray((fours * 17).astype(np.uint8))
files["interlaced.png"] = png(np.asarray(tall), 2, 8, interlaced=True)
truth["interlaced.png"] = tall
files["gray-key.png"] = png(np.asarray(wide.convert("L")), 0, 8, extra=chunk(b"tRNS", struct.pack(">H", 30)))
keyed = np.asarray(wide.convert("L")).copy()
keyed[keyed == 30] = 255
truth["gray-key.png"] = Image.fromarray(keyed)

add("rgb.jpg", wide, quality=95)
add("gray.jpg", wide.convert("L"), quality=95)
add("progressive.jpg", tall, progressive=True, quality=92)
add("cmyk.jpg", wide.convert("CMYK"), quality=95)
for value in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = value
    add(f"turned-{value}.jpg", scene(40, 61), exif=exif, quality=95)
add("large.jpg", scene(375, 500), quality=90)
add("subsampled.jpg", tall, quality=90, subsampling=2)

add("lossy.webp", wide, quality=90)
add("lossless.webp", tall, lossless=True)
add("alpha.webp", alpha(wide), lossless=True, exact=True)
frames = [scene(48, 64) for _ in range(3)]
add("animated.webp", frames[0], save_all=True, append_images=frames[1:], lossless=True)
add("animated-alpha.webp", alpha(frames[0]), save_all=True, append_images=[alpha(f) for f in frames[1:]],
    lossless=True, exact=True)


def fitted(image, side, fit):
    if fit == "cover":
        return ImageOps.fit(image, (side, side), Image.Resampling.BILINEAR)
    if fit == "contain":
        return ImageOps.pad(image, (side, side), Image.Resampling.BILINEAR)
    return image.resize((side, side), Image.Resampling.BILINEAR)


cases, expected = [], b""
for name, data in files.items():
    (folder / name).write_bytes(data)
    image = truth[name] or ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    grayish = image.mode in ("L", "LA", "1")
    image = onto_white(image)
    image = image.convert("L" if grayish else "RGB")
    for side, fit in [(16, "cover"), (24, "contain"), (17, "stretch"), (80, "cover")]:
        if side == 80 and name not in ("rgb.png", "one-pixel.png", "lossless.webp"):
            continue
        square = np.asarray(fitted(image, side, fit))
        channels = 1 if grayish else 3
        assert square.size == side * side * channels, name
        cases.append({"file": name, "side": side, "fit": fit, "channels": channels, "offset": len(expected),
                      "scaled": name == "large.jpg"})
        expected += square.tobytes()
(folder / "expected.bin.gz").write_bytes(gzip.compress(expected, 9, mtime=0))
(folder / "images.json").write_text(json.dumps(cases, indent=0) + "\n")
