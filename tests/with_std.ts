// Runs `deno` with the given arguments and with `@std`: the real packages from JSR or, where JSR is
// out of reach, their stand-ins in offline/. CONTRIBUTING.md says more.

const [subcommand, ...args] = Deno.args;
const importMap = new URL("./offline/import_map.json", import.meta.url);
const { imports } = await readJson(new URL("../deno.json", import.meta.url));
const { imports: standIns } = await readJson(importMap);

// The modules that have a stand-in: `jsr:@std/testing@1/mock` for `@std/testing/mock`.
const std = Object.keys(standIns).filter((name) => name.startsWith("@std/")).map((name) =>
  name.replace(/^@std\/[^/]+/, (packageName) => imports[packageName])
);

// A cached module counts as reachable: a machine that has been online once keeps the real packages.
const cached = await new Deno.Command(Deno.execPath(), {
  args: ["cache", "--quiet", "--no-config", ...std],
  stdout: "null",
  stderr: "null",
}).output();

if (!cached.success) {
  console.error("JSR is out of reach: using the stand-ins for @std in tests/offline");
  args.unshift(`--import-map=${importMap.href}`);
}
const { code } = await new Deno.Command(Deno.execPath(), { args: [subcommand, ...args] }).spawn()
  .status;
Deno.exit(code);

async function readJson(url: URL): Promise<{ imports: Record<string, string> }> {
  return JSON.parse(await Deno.readTextFile(url));
}
