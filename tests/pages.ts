// The programs of the pages, and the sessions that show what they print.

/** A block of code of a page. */
export interface Block {
  page: string;
  /** The heading above it. */
  heading: string;
  line: number;
  /** What stands behind the backticks: `ts ignore`, say. */
  info: string;
  text: string;
}

/** A program, and the terminal session that follows it on the page. */
export interface Session {
  program: Block;
  steps: Step[];
}

/** A command of a session, and what it prints. */
export interface Step {
  command: string;
  output: string;
}

const root = new URL("..", import.meta.url);

/** The names of the pages that are published. */
export const pages = [
  "README.md",
  ...Array.from(Deno.readDirSync(new URL("docs", root)), ({ name }) => `docs/${name}`)
    .filter((name) => name.endsWith(".md")).sort(),
];

/** The blocks of code of a page, in order. */
export function readBlocks(page: string): Block[] {
  const text = Deno.readTextFileSync(new URL(page, root));
  const blocks: Block[] = [];
  let heading = "";
  for (const part of text.matchAll(/^#+ (.+)$|^```(.*)\n([\s\S]*?)^```$/gm)) {
    const [, title, info, code] = part;
    const line = text.slice(0, part.index).split("\n").length;
    if (title !== undefined) heading = title;
    else blocks.push({ page, heading, line, info, text: code });
  }
  return blocks;
}

/** Returns a program of a page, by the heading above it: the first one, or the one of that index. */
export function readProgram(page: string, heading: string, index = 0): string {
  const programs = readBlocks(page).filter((block) =>
    block.heading === heading && block.info.startsWith("ts")
  );
  if (programs[index] === undefined) throw new Error(`${page} has no such program: ${heading}`);
  return programs[index].text;
}

/** The programs of a page that are followed by a session. */
export function readSessions(page: string): Session[] {
  const blocks = readBlocks(page);
  return blocks.flatMap((block, i) => {
    const program = blocks[i - 1];
    if (block.info !== "console") return [];
    if (!program?.info.startsWith("ts")) throw new Error(`${page}:${block.line} has no program`);
    return [{ program, steps: readSteps(block.text) }];
  });
}

function readSteps(text: string): Step[] {
  const [, ...parts] = `\n${text}`.split("\n$ ");
  return parts.map((part) => {
    const [command, ...lines] = part.replace(/\n$/, "").split("\n");
    return { command, output: lines.map((line) => `${line}\n`).join("") };
  });
}
