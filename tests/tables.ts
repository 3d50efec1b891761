// For scripts that run many programs, and put tables of the results into a page.

import { fileURLToPath } from "node:url";
import { succeed } from "./portable.ts";

/** Runs jobs, two at a time. */
export async function runTwoAtATime(jobs: (() => Promise<void>)[]): Promise<void> {
  const todo = [...jobs];
  const worker = async () => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) await next();
  };
  await Promise.all([worker(), worker()]);
}

/** A table in Markdown. All columns but the first are centered, or aligned in another way. */
export function table(head: string[], rows: string[][], align = ":-:"): string {
  const ruler = head.map((_, index) => index === 0 ? "---" : align);
  return [head, ruler, ...rows].map((row) => `| ${row.join(" | ")} |\n`).join("");
}

/** Replaces what stands between the two marks of a page. */
export async function replaceMarked(page: URL, replace: (old: string) => string): Promise<void> {
  const [before, rest] = (await Deno.readTextFile(page)).split(/(?<=<!-- begin.* -->\n)/);
  const end = rest.indexOf("<!-- end");
  const text = replace(rest.slice(0, end));
  await Deno.writeTextFile(page, `${before}\n${text}\n${rest.slice(end)}`);
  await succeed(Deno.execPath(), ["fmt", "--quiet", fileURLToPath(page)], new URL("..", page));
}
