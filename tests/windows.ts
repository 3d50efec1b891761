// Runs the tests by the Windows build of Deno, under Wine, and prints a table: what each file ran, and
// what it skipped and why. Their programs are run by the Windows builds of Deno, Node.js and Bun. Wine
// is close to Windows, and not the same: what fails there need not fail on Windows, and vice versa.
//
//   ATEXIT_TEST_WINDOWS=FOLDER deno task test:windows [FILE…]
//
// `FOLDER/env` is a script for bash that sets what Wine needs, and the paths of Wine (`wine64`) and of
// the Windows builds (`WDENO`, `WNODE`, `WBUN`). Default: all files, one after the other.

import { findTests, showTests } from "./test_files.ts";

const folder = Deno.env.get("ATEXIT_TEST_WINDOWS");
if (folder === undefined) {
  console.error(
    "ATEXIT_TEST_WINDOWS has to name a folder with Windows builds: see tests/windows.ts",
  );
  Deno.exit(1);
}

/** A bash script that runs the Windows build of Deno, by which Node.js and Bun are found, too. */
const windowsDeno = String.raw`. "$0/env"
  toWindows() { echo "Z:$(tr / '\\' <<<"$1")"; }
  export ATEXIT_TEST_NODE=$(toWindows "$WNODE") ATEXIT_TEST_BUN=$(toWindows "$WBUN")
  export WINEPATH=$(toWindows "$(dirname "$WDENO")")
  exec "$wine64" "$WDENO" "$@"`;
const root = new URL("../", import.meta.url);

let failures = 0;
const rows: string[] = [];
for (const file of Deno.args.length > 0 ? Deno.args : findTests()) {
  console.log(`\n${file}`);
  rows.push(toRow(file, await test(file)));
}
const head = ["", "| file | passed | failed | skipped | why |", "| --- | --- | --- | --- | --- |"];
console.log([...head, ...rows].join("\n"));
console.log(failures === 0 ? "\nAll green" : `\n${failures} red`);
Deno.exit(failures === 0 ? 0 : 1);

/** Runs the tests of a file, shows what the runner says, and returns it. */
async function test(file: string): Promise<string> {
  const args = ["test", "-A", "--no-check", "--import-map=tests/offline/import_map.json", file];
  const { text, success } = await showTests("bash", {
    args: ["-c", windowsDeno, folder!, ...args],
    cwd: root,
    stdin: "null",
  });
  if (!success) failures++;
  return text;
}

function toRow(file: string, text: string): string {
  const counts = text.match(/\| (\d+) passed.*\| (\d+) failed(?:.*?\| (\d+) ignored)?/);
  if (counts === null) return `| ${file} | | **has not come to its end** | | |`;
  const [, passed, failed, ignored = "0"] = counts;
  const reasons = Array.from(text.matchAll(/^skipped: (.*) \.\.\. ignored/gm), ([, why]) => why);
  const skipped = Number(ignored) - reasons.length; // The reasons are tests, too.
  return `| ${file} | ${passed} | ${failed} | ${skipped} | ${reasons.join("; ")} |`;
}
