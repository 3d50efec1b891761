// A calculator with a history, after Python's readline example: reads the lines of earlier sessions
// when it starts, and saves those of this one when it ends: at `.exit`, end of input or Ctrl-C.
// Enter lines such as `6 * 7`, or `.history`.
//
//   deno run -R=calculator_history -W=calculator_history examples/history.ts

import { exit, exitOnSignals, register } from "../mod.ts";

const path = "calculator_history";
const earlier = readHistory();
const entered: string[] = [];
const prompt = Deno.stdin.isTerminal() ? "> " : "";

// Append instead of overwriting the file, because another session may have ended meanwhile.
register(() => Deno.writeTextFileSync(path, entered.join(""), { append: true }));
exitOnSignals();

showPrompt();
for await (const line of readLines()) {
  // Not `break`: in a terminal, Deno before 2.8 would wait for another line first.
  if (line === ".exit") exit();
  if (line === ".history") {
    console.log((earlier + entered.join("")).trimEnd());
  } else if (line !== "") {
    entered.push(`${line}\n`);
    console.log(calculate(line));
  }
  showPrompt();
}

function readHistory(): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function calculate(line: string): string {
  const [, left, operator, right] = line.match(/^(-?[\d.]+) *([-+*/]) *(-?[\d.]+)$/) ?? [];
  if (operator === "+") return `${Number(left) + Number(right)}`;
  if (operator === "-") return `${Number(left) - Number(right)}`;
  if (operator === "*") return `${Number(left) * Number(right)}`;
  if (operator === "/") return `${Number(left) / Number(right)}`;
  return `Cannot calculate ${line}: expected two numbers, such as 6 * 7`;
}

function showPrompt(): void {
  Deno.stdout.writeSync(new TextEncoder().encode(prompt));
}

async function* readLines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.trim();
  }
  if (rest !== "") yield rest.trim();
}
