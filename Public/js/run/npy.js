// NumPy's file format, as far as the daemon writes it.

/** Reads { shape, values } of an array of int64, int32, float32 or float64 in C order. */
export function readNpy(buffer) {
  const bytes = new Uint8Array(buffer);
  if (String.fromCharCode(...bytes.subarray(0,
    6)) !== "\x93NUMPY") throw new Error("This is not an array of NumPy.");
  const view = new DataView(buffer);
  const start = bytes[6] >= 2 ? 12 : 10;
  const length = bytes[6] >= 2 ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = String.fromCharCode(...bytes.subarray(start, start + length));
  const type = header.match(/'descr':\s*'([^']+)'/)?.[1];
  const shape = (header.match(/'shape':\s*\(([^)]*)\)/)?.[1] ?? "").split(",").map((part) => part.trim())
    .filter(Boolean).map(Number);
  const data = buffer.slice(start + length);
  const readers = {
    "<i8": () => Array.from(new BigInt64Array(data), Number), "<i4": () => new Int32Array(data),
    "<f4": () => new Float32Array(data), "<f8": () => new Float64Array(data),
  };
  if (!readers[type]) throw new Error(`Arrays of type ${type} cannot be shown.`);
  return { shape, values: readers[type]() };
}
