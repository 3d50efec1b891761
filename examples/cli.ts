// A command-line tool with an argument parser. It sorts the lines of files. Wherever handlers run, it
// leaves no half of an output behind.
//
//   deno run -R=. -W=. examples/cli.ts --output sorted.txt README.md LICENSE
//   deno run examples/cli.ts --help

import { parseArgs } from "node:util";
import { exitOnSignals, register, SystemExit, unregister } from "../mod.ts";

const usage = `Usage: cli.ts [--output FILE] [--reverse] FILE...

  -o, --output FILE  write to FILE instead of stdout
  -r, --reverse      from the last line to the first
  -h, --help         show this`;

exitOnSignals();

const { values: { help, output, reverse }, positionals: files } = parse(Deno.args);
if (help) {
  console.log(usage);
  throw new SystemExit(); // Status 0. Unlike Deno.exit() it awaits handlers, of libraries too.
}
if (files.length === 0) fail("Name at least one file");

const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
const lines = texts.flatMap((text) => text.replace(/\n$/, "").split("\n")).sort();
const sorted = `${(reverse ? lines.reverse() : lines).join("\n")}\n`;

if (output === undefined) await print(sorted);
else await write(output, sorted);

/** Writes a file as a whole, or not at all. */
async function write(file: string, text: string): Promise<void> {
  const part = `${file}.part`;
  const removePart = () => Deno.removeSync(part);
  register(removePart);
  await Deno.writeTextFile(part, text);
  await Deno.rename(part, file);
  unregister(removePart); // It is complete, and not ours any more.
}

async function print(text: string): Promise<void> {
  await new Blob([text]).stream().pipeTo(Deno.stdout.writable);
}

/** Reads the arguments. */
function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        output: { type: "string", short: "o" },
        reverse: { type: "boolean", short: "r" },
      },
    });
  } catch (error) {
    return fail((error as Error).message);
  }
}

/** Ends with status 2, as tools do that were called in a wrong way. */
function fail(message: string): never {
  console.error(`${message}\n\n${usage}`);
  throw new SystemExit(2);
}
