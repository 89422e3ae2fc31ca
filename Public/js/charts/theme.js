// The colours of charts, from the custom properties of the style sheets, in both schemes.

const scheme = matchMedia("(prefers-color-scheme: dark)");
const contrast = matchMedia("(forced-colors: active)");
/** Colours of the palette; further lines repeat them with dashes. */
export const paletteSize = 8;
const dashes = [null, [6, 3], [2, 2], [9, 3, 2, 3]];

/** The value of a custom property, like `--line`. */
export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The name of the custom property with the colour of the line of that number, from 0. */
export const seriesColor = (index) => `--series-${(index % paletteSize) + 1}`;

/** The dashes of the line of that number: lines of one colour differ by them. */
export const seriesDash = (index) => dashes[Math.floor(index / paletteSize) % dashes.length];

/** Calls `callback` when the colours have changed; returns a function that ends it. */
export function onColorsChange(callback) {
  for (const query of [scheme, contrast]) query.addEventListener("change", callback);
  return () => {
    for (const query of [scheme, contrast]) query.removeEventListener("change", callback);
  };
}
