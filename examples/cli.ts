// A command-line tool with an argument parser. It sorts the lines of files, and leaves no incomplete
// output behind, whichever way it ends.
//
//   deno run -R=. -W=. examples/cli.ts --output sorted.txt README.md LICENSE
//   deno run examples/cli.ts --help

import { parseArgs } from "node:util";
import { exit, exitOnSignals, register, unregister } from "../mod.ts";

const usage = `Usage: cli.ts [--output FILE] [--reverse] FILE...

  -o, --output FILE  write to FILE instead of stdout
  -r, --reverse      from the last line to the first
  -h, --help         show this`;

exitOnSignals();

const { values: { help, output, reverse }, positionals: files } = parse(Deno.args);
if (help) {
  console.log(usage);
  exit(0); // Unlike Deno.exit() it awaits handlers, also those of libraries.
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
  unregister(removePart); // There is nothing left to remove.
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

/** Ends with status 2, as is usual for wrong arguments. */
function fail(message: string): never {
  console.error(`${message}\n\n${usage}`);
  exit(2);
}
