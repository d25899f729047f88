/** The known name that a misspelt one is closest to. */

/**
 * Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
 * Source: Levenshtein 1966, with Damerau's transposition restricted to adjacent characters.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

const LONGEST_COMPARED = 64;

/** The nearest of `known`, or undefined where none is near enough to be meant. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST_COMPARED) return undefined;
  const wanted = normal(name);
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(wanted, normal(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best === undefined) return undefined;
  const tolerated = Math.max(1, Math.floor(Math.max(name.length, best.candidate.length) / 3));
  return best.distance <= tolerated ? best.candidate : undefined;
}

/** Case and the kind of dash are the most common slips, and cost nothing. */
function normal(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
