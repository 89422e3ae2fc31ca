// Clusters of points in the plane.

const roundsMax = 50;

/** Numbers in [0, 1) that are the same each time (mulberry32). */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Lloyd's algorithm from the seeds of k-means++, the same clusters each time: the number of the cluster of
 * each point
 * [x, y]. Cluster 0 is the largest.
 */
export function clusters(points, count, seed = 1) {
  if (points.length === 0) return [];
  const centres = seeds(points, Math.min(count, points.length), random(seed));
  const owner = new Int32Array(points.length).fill(-1);
  for (let round = 0; round < roundsMax; round += 1) {
    if (!assign(points, centres, owner)) break;
    move(points, centres, owner);
  }
  return bySize(owner, centres.length);
}

function seeds(points, count, next) {
  const centres = [[...points[Math.floor(next() * points.length)]]];
  const distances = new Float64Array(points.length).fill(Infinity);
  while (centres.length < count) {
    const [x, y] = centres.at(-1);
    let sum = 0;
    for (let index = 0; index < points.length; index += 1) {
      distances[index] = Math.min(distances[index],
        (points[index][0] - x) ** 2 + (points[index][1] - y) ** 2);
      sum += distances[index];
    }
    let left = next() * sum;
    let chosen = 0;
    while (chosen < points.length - 1 && left >= distances[chosen]) left -= distances[chosen++];
    centres.push([...points[chosen]]);
  }
  return centres;
}

/** Gives each point to the nearest centre; whether any has changed its owner. */
function assign(points, centres, owner) {
  let isChanged = false;
  for (let index = 0; index < points.length; index += 1) {
    let [best, least] = [0, Infinity];
    for (let centre = 0; centre < centres.length; centre += 1) {
      const distance = (points[index][0] - centres[centre][0]) ** 2
        + (points[index][1] - centres[centre][1]) ** 2;
      if (distance < least) [best, least] = [centre, distance];
    }
    if (owner[index] !== best) [owner[index], isChanged] = [best, true];
  }
  return isChanged;
}

function move(points, centres, owner) {
  const sums = centres.map(() => [0, 0, 0]);
  for (let index = 0; index < points.length; index += 1) {
    const sum = sums[owner[index]];
    sum[0] += points[index][0];
    sum[1] += points[index][1];
    sum[2] += 1;
  }
  sums.forEach(([x, y, size], centre) => {
    if (size > 0) centres[centre] = [x / size, y / size];
  });
}

function bySize(owner, count) {
  const sizes = Array.from({ length: count }, () => 0);
  for (const one of owner) sizes[one] += 1;
  const order = sizes.map((_, index) => index).sort((a, b) => sizes[b] - sizes[a]);
  const place = new Map(order.map((old, index) => [old, index]));
  return Array.from(owner, (one) => place.get(one));
}
