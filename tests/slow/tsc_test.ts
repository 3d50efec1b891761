// The types as TypeScript's own compiler sees them, in an npm project: strict, and with the package's
// declarations checked, too. Deno runs the compiler, so that this needs no Node.js.

import { assert, assertEquals } from "@std/assert";
import { newFolder, pack, succeed, unpack } from "../portable.ts";

const compilers = ["5.9", "6"];
const modules = { NodeNext: "NodeNext", ESNext: "Bundler" };

/** What compiles. */
const right = `
import {
  exit, exitOnSignals, type ExitOnSignalsOptions, type ExitOptions, type ExitReason, exitReason,
  overrideExit, type OverrideExitOptions, register, registerAsync, setGracePeriod, type Signal, SystemExit,
  unregister,
} from "@atexit/atexit";

const goodbye: (name: string, times?: number) => void = () => {};
const same: (name: string, times?: number) => void = register(goodbye, "name", 2);
register(goodbye, "name");
register(() => {});
registerAsync(async (name: string) => { await name; }, "name");
registerAsync(() => Promise.resolve(1));
unregister(same);
const options: ExitOptions = { timeout: 1_000 };
const leave: (code?: number, options?: ExitOptions) => never = exit;
function parse(text: string | undefined): string {
  if (text === undefined) exit(2, options);
  return text; // The type is narrowed.
}
const overriding: OverrideExitOptions = { timeout: 1_000 };
overrideExit(overriding);
overrideExit();
const signals: Signal[] = ["SIGINT", "SIGTERM"];
const more: ExitOnSignalsOptions = { signals, timeout: 5_000 };
exitOnSignals(more);
exitOnSignals({ signals: new Set(signals) });
const reason: ExitReason | undefined = exitReason();
if (reason?.kind === "signal") reason.signal satisfies string;
setGracePeriod(8_000);
setGracePeriod(undefined);
const code: number = new SystemExit("text").code;
class Service {
  @register static stop(): void {}
  @registerAsync async close(): Promise<void> {}
}
export { code, leave, parse, Service };
`;

/** What compiles where the libraries have disposables. */
const disposing = `
import { exitOnSignals, overrideExit, register, registerAsync } from "@atexit/atexit";
exitOnSignals()[Symbol.dispose]();
const disposable: Disposable = exitOnSignals();
const override: Disposable = overrideExit();
{
  using signals = exitOnSignals();
}
class Service {
  [Symbol.dispose](): void {}
  async [Symbol.asyncDispose](): Promise<void> {}
}
const one: Service = register(new Service());
const two: Service = registerAsync(new Service());
export { disposable, one, override, two };
`;

/** What does not compile, and the number of the error. */
const wrong: Record<string, string> = {
  "register(async () => {});": "TS2769",
  "register((name: string) => {}, 1);": "TS2769",
  "register((name: string) => {});": "TS2769",
  "register(1);": "TS2769",
  "register({});": "TS2769",
  "registerAsync((name: string) => Promise.resolve(name), 1);": "TS2769",
  "unregister(1);": "TS2345",
  'exit("1");': "TS2345",
  "exit(0, { time: 1 });": "TS2353",
  "overrideExit({ time: 1 });": "TS2353",
  'exitOnSignals({ signals: ["SIGNONSENSE"] });': "TS2322",
  'exitOnSignals(["SIGINT"]);': "TS2559",
  'setGracePeriod("1 s");': "TS2345",
  "new SystemExit({});": "TS2345",
  "exitReason()!.signal;": "TS2339",
};

/** Compiles a project, and returns what the compiler says. */
async function compile(cwd: string, compiler: string, config: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `./node_modules/typescript-${compiler}/bin/tsc`, "-p", config],
    env: { NO_COLOR: "1" },
    stderr: "null",
    cwd,
  }).output();
  return new TextDecoder().decode(stdout);
}

let installed: Promise<string> | undefined;

/** An npm project with the package, and the compilers. */
async function install(): Promise<string> {
  const cwd = newFolder();
  const file = await pack(cwd);
  const dependencies = Object.fromEntries([
    ["@types/node", "26"],
    ...compilers.map((version) => [`typescript-${version}`, `npm:typescript@${version}`]),
  ]);
  await Deno.writeTextFile(
    `${cwd}/package.json`,
    JSON.stringify({ private: true, type: "module", dependencies }),
  );
  await succeed(Deno.execPath(), ["install", "--quiet"], cwd);
  await unpack(file, cwd);
  await Deno.writeTextFile(`${cwd}/right.ts`, right);
  await Deno.writeTextFile(`${cwd}/disposing.ts`, disposing);
  const calls = Object.keys(wrong);
  await Deno.writeTextFile(
    `${cwd}/wrong.ts`,
    'import * as atexit from "@atexit/atexit";\n' +
      "const { exit, exitOnSignals, exitReason, register, registerAsync } = atexit;\n" +
      "const { overrideExit, setGracePeriod, SystemExit, unregister } = atexit;\n" +
      calls.join("\n"),
  );
  return cwd;
}

for (const compiler of compilers) {
  for (const [module, moduleResolution] of Object.entries(modules)) {
    for (const types of [[], ["node"]]) {
      const name = `types in TypeScript ${compiler}, ${moduleResolution}, ${
        types.length === 0 ? "without" : "with"
      } @types/node: right calls compile, wrong ones do not`;
      Deno.test(name, async () => {
        const cwd = await (installed ??= install());
        const config = `tsconfig-${compiler}-${module}-${types}.json`;
        // The types of Node.js bring disposables along.
        const files = ["right.ts", "wrong.ts", ...types.length === 0 ? [] : ["disposing.ts"]];
        const compilerOptions = {
          ...{ module, moduleResolution, types, strict: true, noEmit: true, skipLibCheck: false },
          ...{ target: "es2022", lib: ["es2022"], exactOptionalPropertyTypes: true },
        };
        await Deno.writeTextFile(
          `${cwd}/${config}`,
          JSON.stringify({ compilerOptions, files }),
        );
        const lines = (await compile(cwd, compiler, config)).split("\n");
        const errors = lines.filter((line) => / error TS\d+: /.test(line));
        const inWrong = errors.filter((line) => line.startsWith("wrong.ts("));
        assertEquals(errors.filter((line) => !inWrong.includes(line)), []);
        const numbers = inWrong.map((line) => line.match(/^wrong\.ts\((\d+),.* error (TS\d+)/)!);
        const expected = Object.values(wrong).map((code, index) => [`${index + 4}`, code]);
        assertEquals(numbers.map(([, line, code]) => [line, code]), expected, lines.join("\n"));
        assert(lines.join("\n").includes("use registerAsync()"), lines.join("\n"));
      });
    }
  }
}
