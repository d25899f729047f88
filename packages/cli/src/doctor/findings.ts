/** What `kvm doctor` found out, and what to do about it: data first, so that machines can read it too. */

export type Verdict = "ok" | "missing" | "note";

export interface Finding {
  readonly name: string;
  readonly verdict: Verdict;
  readonly detail: string;
  /** What to do, where there is something to do. */
  readonly remedies?: readonly string[];
}

const MARKS: Readonly<Record<Verdict, string>> = { ok: "ok", missing: "no", note: "--" };

export function renderFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  return findings
    .flatMap(({ name, verdict, detail, remedies = [] }) => [
      `${MARKS[verdict]}  ${name.padEnd(width)}  ${detail}`,
      ...remedies.map((remedy) => `${" ".repeat(width + 6)}- ${remedy}`),
    ])
    .join("\n");
}
