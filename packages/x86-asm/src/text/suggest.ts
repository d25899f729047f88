/** The nearest known name, for hints. */

const MAX_LENGTH = 24;

/** The candidate nearest to `name` within two edits (one for short names), if there is one. */
export function suggest(name: string, ...lists: (readonly string[])[]): string | undefined {
  const wanted = name.toLowerCase();
  if (wanted.length < 2 || wanted.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  let bestDistance = wanted.length <= 4 ? 2 : 3;
  for (const candidate of lists.flat()) {
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(substitution, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1);
      }
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
