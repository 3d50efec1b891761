// Places in stacks: who called a function, and which frames are the module's own.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { pathToFileURL } from "node:url";
import { assertOutcome, newFolder, run } from "./program.ts";
import { captureCallSites, clearStack, isOwnFile, removeOwnFrames } from "../stack_trace.ts";

/** Calls a function under a name, so that it stands on the stack. */
function called(): ReturnType<typeof captureCallSites> {
  return captureCallSites(called);
}

const NativeError = Error as unknown as {
  prepareStackTrace?: unknown;
  stackTraceLimit?: unknown;
};

/** Sets a property of `Error` while a function is called. */
function withError<T>(
  name: keyof typeof NativeError,
  property: PropertyDescriptor,
  call: () => T,
): T {
  const before = Object.getOwnPropertyDescriptor(NativeError, name);
  Object.defineProperty(NativeError, name, { configurable: true, ...property });
  try {
    return call();
  } finally {
    if (before === undefined) delete NativeError[name];
    else Object.defineProperty(NativeError, name, before);
  }
}

function assertCaller(sites: ReturnType<typeof captureCallSites>): void {
  assertEquals(sites?.[0].name, "caller");
  const { file, script, place } = sites![0];
  assert(/[\\/]stack_trace_test\.ts$/.test(file));
  assert(script.endsWith("/stack_trace_test.ts"));
  assert(place.startsWith(`${file}:`) && /^:\d+:\d+$/.test(place.slice(file.length)));
}

Deno.test("captureCallSites() returns the calls from the caller of a function on", () => {
  const caller = () => called();
  const sites = caller();
  assertCaller(sites);
  const line = new Error().stack!.match(/:(\d+):\d+\)?$/m)![1];
  assertEquals(sites?.[1].place.match(/:(\d+):\d+$/)?.[1], `${Number(line) - 2}`);
});

Deno.test("captureCallSites() names a function without a name by an empty text", () => {
  assertEquals([() => called()].map((func) => func())[0]?.[0].name, "");
});

Deno.test("captureCallSites() is told of calls without a file", () => {
  const caller = new Function("called", "return called()") as (func: typeof called) => unknown;
  const sites = caller(called) as ReturnType<typeof captureCallSites>;
  assert(sites![0].place.startsWith(`${sites![0].file}:`));
});

const formats: [
  name: string,
  property: keyof typeof NativeError,
  descriptor: PropertyDescriptor,
][] = [
  ["no stacks", "stackTraceLimit", { value: 0, writable: true }],
  ["own formatting", "prepareStackTrace", { value: () => "formatted", writable: true }],
  ["formatting that throws", "prepareStackTrace", {
    value: () => {
      throw new Error("trap");
    },
    writable: true,
  }],
];

for (const [name, property, descriptor] of formats) {
  Deno.test(`captureCallSites() works with ${name} of the program's, and restores it`, () => {
    withError(property, descriptor, () => {
      const caller = () => called();
      assertCaller(caller());
      assertStrictEquals(NativeError[property], descriptor.value);
    });
  });
}

Deno.test("captureCallSites() leaves no property behind", () => {
  delete NativeError.prepareStackTrace;
  called();
  assertEquals(Object.hasOwn(NativeError, "prepareStackTrace"), false);
});

Deno.test("captureCallSites() captures a hundred calls", () => {
  const recurse = (depth: number): ReturnType<typeof called> =>
    depth === 0 ? called() : recurse(depth - 1);
  assertEquals(recurse(200)?.length, 100);
});

for (const property of ["stackTraceLimit", "prepareStackTrace"] as const) {
  Deno.test(`captureCallSites() returns nothing if ${property} is frozen`, () => {
    withError(property, { value: undefined, writable: false }, () => {
      assertEquals(called(), undefined);
    });
  });
}

Deno.test("clearStack() removes all frames, and returns the error", () => {
  const error = new Error("bad");
  assertStrictEquals(clearStack(error), error);
  assertEquals(error.stack, "Error: bad");
  const frozen = Object.freeze(new Error("bad"));
  assertStrictEquals(clearStack(frozen), frozen);
});

// ------------------------------------------------------------------------------------- own frames

const home = new URL("..", import.meta.url);

/** Lines of a text, and whether they are shown. */
const lines: [line: string, isShown: boolean][] = [
  [`Error: ${home}registry.ts:1:2`, true],
  ["    at main (file:///app/main.ts:1:2)", true],
  [`    at ${home}registry.ts:1:2`, false],
  [`    at Run.#call (${home}registry.ts:1:2)`, false],
  [`    at Run.#call (${home.pathname}registry.ts:1:2)`, false],
  [`    at Run.#call (${home}registry.js:1:2)`, false],
  [`    at Run.#call (${home.pathname.replaceAll("/", "\\")}registry.ts:1:2)`, false],
  [`    at exit (${home}runtimes/hook.ts:1:2)`, false],
  [`    at exit (${home}runtimes/deno/exit.ts:1:2)`, false],
  [`    at exit (\x1b[36m${home}runtimes\x1b[0m/deno/\x1b[36mexit.ts\x1b[0m:1:2)`, false],
  [`    at test (${home}tests/main.ts:1:2)`, true],
  [`    at test (${home}app-2/main.ts:1:2)`, true],
  [`    at test (${home}main.ts:1:2)`, true],
  [`    at test (${home}registry.tsx:1:2)`, true],
  [`    at test (file:///copy${home.pathname}/other/registry.ts:1:2)`, true],
  [`    at Run.#call (${home}registry%2Ets:1:2)`, false],
  [`    at Run.#call (${home.pathname.toUpperCase()}registry.ts:1:2)`, false],
  [`    at test (${home}%E9/registry.ts:1:2)`, true],
  [`    at test (${home}%0A/registry.ts:1:2)`, true],
  ["    ... 4 lines matching cause stack trace ...", false],
  ["  code: 5", true],
];

Deno.test("removeOwnFrames() removes the module's own frames from a text", () => {
  for (const [line, isShown] of lines) {
    const own = `    at Run.#call (${home}registry.ts:1:2)`;
    assertEquals(
      removeOwnFrames(`Error: bad\n${own}\n${line}\nend`),
      isShown ? `Error: bad\n${line}\nend` : "Error: bad\nend",
    );
  }
});

Deno.test("removeOwnFrames() keeps the bracket before the properties of an error", () => {
  assertEquals(
    removeOwnFrames(`Error: bad\n    at Run.#call (${home}registry.ts:1:2) {\n  code: 5\n}`),
    "Error: bad {\n  code: 5\n}",
  );
});

Deno.test("removeOwnFrames() leaves a text alone that has no own frame", () => {
  const text = "Error: bad\n\n    at main (file:///app/main.ts:1:2)\n" +
    "    ... 4 lines matching cause stack trace ...\n";
  assertEquals(removeOwnFrames(text), text);
  assertEquals(removeOwnFrames(""), "");
});

Deno.test("removeOwnFrames() keeps empty lines, also the first one", () => {
  const own = `    at Run.#call (${home}registry.ts:1:2)`;
  assertEquals(removeOwnFrames(`\n\n${own}\n\nend`), "\n\n\nend");
});

Deno.test("isOwnFile() knows each file of the module", () => {
  const names = Array.from(Deno.readDirSync(home), ({ name }) => name)
    .filter((name) => name.endsWith(".ts"));
  assertEquals(names.length > 10, true);
  assertEquals(names.filter((name) => !isOwnFile(`${home}${name}`)), []);
});

Deno.test("the module's own frames are removed wherever the module is", async () => {
  const folder = `${newFolder()}/a b (1) éÄ`;
  for (const part of ["", "runtimes/", "runtimes/deno/", "runtimes/process/"]) {
    Deno.mkdirSync(`${folder}/${part}`, { recursive: true });
    for (const { name } of Deno.readDirSync(new URL(part, home))) {
      if (!name.endsWith(".ts")) continue;
      Deno.copyFileSync(new URL(part + name, home), `${folder}/${part}${name}`);
    }
  }
  const source = `
    import { register, SystemExit } from "${pathToFileURL(`${folder}/mod.ts`)}";
    register(() => { throw new SystemExit(3); });
    register(function fails() { throw new Error("bad"); });
  `;
  // Deno shows places below the current folder as URLs, and other ones as paths.
  for (const cwd of [folder, newFolder()]) {
    assertOutcome(await run(source, { cwd }), {
      stderr: /^Exception in .* fails:\nError: bad\n {4}at fails \(.*\)\n( +at .*\(ext:.*\)\n)*$/,
      code: 3,
    });
  }
});
