// `deno test` and `deno bench` over files that fail in every way: handlers change no verdict.

import { assertEquals } from "@std/assert";
import { assertOutcome, type Outcome, version } from "../program.ts";
import {
  alone,
  bodies,
  fileOf,
  runTests,
  silent,
  testOf,
  type TestOptions,
  verdicts,
} from "../test_runner.ts";

/** Those that have a runner of their own: what they do to it is the question. */
const runs: Record<string, [source: string, options?: TestOptions]> = {
  "a module that exits": [`Deno.test("passes", () => {}); Deno.exit(7);`],
  "two modules": [`Deno.test("passes", () => {}); Deno.exitCode = 7;`, {
    files: { "other_test.ts": 'Deno.test("other", () => {}); Deno.test("b", () => { throw 1; });' },
  }],
  "a file whose tests pass": [`Deno.test("passes", () => {});`],
  "tests at once": [alone.map(([name, body]) => testOf(name, body)).join("\n"), {
    command: ["test", "--parallel", "-R", "--allow-run"],
  }],
  "the first failure ends it": [alone.map(([name, body]) => testOf(name, body)).join("\n"), {
    command: ["test", "--fail-fast", "-R", "--allow-run"],
  }],
};

for (const [name, [source, options]] of Object.entries(runs)) {
  Deno.test(`deno test: ${name}: handlers change no verdict`, async () => {
    const program = (imports: string) => runTests(fileOf(imports, source), options);
    const plain = await program("");
    // Where a module exits, the runner of 2.5 may lose what it has printed.
    const mayBeLost = name === "a module that exits" && version < 206;
    assertOutcome(plain, mayBeLost ? { code: 7 } : { stdout: /started/ });
    for (const [kind, imports] of Object.entries(silent)) {
      const outcome = await program(imports);
      assertOutcome(outcome, () => assertEquals(verdicts(outcome), verdicts(plain), kind));
    }
  });
}

const benchmarkOf = (name: string, body = "") =>
  `Deno.bench(${JSON.stringify(name)}, { n: 1, warmup: 0 }, async () => {\n${body}\n});`;
const benchmarks: Record<string, string> = {
  "all kinds of benchmarks": alone.filter(([name]) => !/^(exit|leak|stub)/.test(name))
    .map(([name, body]) => benchmarkOf(name, body)).join("\n"),
  ...Object.fromEntries(
    alone.filter(([name]) => /^exit/.test(name))
      .map(([name, body]) => [name, benchmarkOf("first") + benchmarkOf(name, body)]),
  ),
};

/** The benchmarks that were begun, what failed, and the status. */
function rows({ stdout, stderr, code }: Outcome): unknown {
  const names = Object.keys(bodies).concat("first").join("|");
  const row = new RegExp(`^\\|? ?(${names})\\b|^error.*|Bench attempted.*`, "gm");
  return [...new Set((stdout + stderr).match(row)), code];
}

for (const [name, source] of Object.entries(benchmarks)) {
  Deno.test(`deno bench: ${name}: handlers change no verdict`, async () => {
    const program = (imports: string) =>
      runTests(fileOf(imports, source), { command: ["bench", "-R"] });
    const plain = await program("");
    assertOutcome(plain, { stdout: /started/ });
    for (const [kind, imports] of Object.entries(silent)) {
      const outcome = await program(imports);
      assertOutcome(outcome, () => assertEquals(rows(outcome), rows(plain), kind));
    }
  });
}
