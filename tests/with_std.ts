// Runs `deno` with the given arguments and with `@std`: the real packages from JSR, or where JSR
// is out of reach what offline/import_map.json takes from npm. CONTRIBUTING.md says more.

const [subcommand, ...args] = Deno.args;
const { imports } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
const std = Object.values<string>(imports).filter((specifier) => specifier.startsWith("jsr:"));

// What is in the cache counts as reachable, so that a machine which has once been online can go on.
const cached = await new Deno.Command(Deno.execPath(), {
  args: ["cache", "--quiet", "--no-config", ...std],
  stdout: "null",
  stderr: "null",
}).output();

if (!cached.success) {
  console.error("JSR is out of reach: taking @std from npm (tests/offline/import_map.json)");
  args.unshift(`--import-map=${new URL("./offline/import_map.json", import.meta.url).href}`);
}
const { code } = await new Deno.Command(Deno.execPath(), { args: [subcommand, ...args] }).spawn()
  .status;
Deno.exit(code);
