// with_std.ts where JSR can be reached: all of the tests compile with what it has.

import { assertEquals } from "@std/assert";
import { type JsrPackage, JsrServer, withStd } from "../jsr.ts";
import { assertOutcome } from "../program.ts";
import { findTests } from "../test_files.ts";

const tests = new URL("..", import.meta.url);
const read = (file: string) => Deno.readTextFileSync(new URL(`offline/${file}`, tests));

/** Packages with the types of the stand-ins. */
const std: JsrPackage[] = [
  {
    name: "@std/assert",
    version: "1.9.0",
    exports: { ".": "./mod.js" },
    files: {
      "/mod.js": `// @ts-self-types="./mod.d.ts"
        export const origin = "JSR";
        export class AssertionError extends Error {}
        export function assertEquals() {}`,
      "/mod.d.ts": read("assert.d.ts"),
    },
  },
  {
    name: "@std/testing",
    version: "1.9.0",
    exports: { "./mock": "./mock.ts", "./types": "./types.ts" },
    files: {
      // `deno publish` replaces bare specifiers, too.
      "/mock.ts": read("testing/mock.ts").replace('"@std/assert"', '"jsr:@std/assert@1"'),
      "/types.ts": read("testing/types.ts"),
    },
  },
];

Deno.test("with_std.ts takes @std from JSR where that can be reached, and all tests compile with it", async () => {
  await using server = await JsrServer.start(...std);
  const cache = Deno.makeTempDirSync();
  const env = { JSR_URL: server.url, DENO_DIR: cache };
  try {
    const program = `
      import * as assert from "@std/assert";
      import { spy } from "@std/testing/mock";
      console.log(assert.origin, spy(() => 5)());
      Deno.exit(3);`;
    const outcome = await withStd(["eval", program], env);
    assertOutcome(outcome, { lines: ["JSR 5"], code: 3, counts: { "JSR is out of reach": 0 } });
    const paths = std.flatMap(({ name, version, files }) => [
      ...[`/${name}/meta.json`, `/${name}/${version}_meta.json`],
      ...Object.keys(files).map((file) => `/${name}/${version}${file}`),
    ]);
    assertEquals([...server.requested].sort(), paths.sort());

    const check = await withStd(["check", "--quiet", ...findTests()], env);
    assertOutcome(check, { stderr: "", code: 0 });
  } finally {
    Deno.removeSync(cache, { recursive: true });
  }
});
