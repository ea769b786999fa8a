/** The known name a mistyped one most likely means; undefined when none is close. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const mistyped = name.toUpperCase();
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: editDistance(mistyped, candidate) }))
    .toSorted((one, other) => one.distance - other.distance);
  return nearest !== undefined && nearest.distance <= Math.max(2, name.length / 3) ? nearest.candidate : undefined;
}

/** The fewest insertions, deletions and substitutions that turn one text into another (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [position, character] of [...from].entries()) {
    const next = [position + 1];
    for (let index = 0; index < to.length; index++) {
      const substituted = (row[index] ?? 0) + (to[index] === character ? 0 : 1);
      next.push(Math.min(substituted, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
