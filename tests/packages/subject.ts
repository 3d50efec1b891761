// What is known about a package that `deno task packages` tries.

/** How a program is ended. The last three are those that a package may bring about itself. */
export type End = "exit" | "throw" | "SIGINT" | "SIGTERM" | "process.exit";

export const ends: End[] = ["exit", "throw", "SIGINT", "SIGTERM", "process.exit"];

/** A package, and a program that uses it. */
export interface Subject {
  /** What is installed: `express@5.3.0`. The first one is the package that the row is about. */
  packages: string[];
  /**
   * A module that uses the package, and says by `atEnd(release)` what an asynchronous handler does. It
   * runs in a folder of its own. What it may use beside that stands in `prelude` of cell.ts.
   */
  program: string;
  /**
   * A module that Node.js runs once, before all programs. What takes long to make may be put into a
   * folder beside theirs, `../prepared-…`.
   */
  prepare?: string;
  /** What the handler releases, as the table says it. */
  releases: string;
  /** Whether that is so, seen from outside. Default: what `release()` returned decides. */
  isReleased?: (ended: Ended) => boolean;
  /** What the package itself holds or promises at the end, with the module or without. */
  own?: {
    what: string;
    isKept(ended: Ended): boolean;
    /** The ends at which there is such a promise. Default: all. */
    at?: End[];
  };
  /** What a client does that the program waits for. Default: an HTTP request, if there is a port. */
  connect?: (port: number) => Promise<unknown>;
  /** Whether it runs in a terminal. */
  terminal?: boolean;
  /**
   * Its program is started by this shell script, as `"$@"`. The script gets SIGTERM, and all of its
   * process group gets SIGINT.
   */
  script?: string;
  /** The ends that are tried. Default: all. */
  at?: End[];
  /** What has to be on this machine. Default: nothing. */
  needs?: Service;
  /** Runtimes that cannot run the program without the module either, and why. */
  not?: Record<string, string>;
}

export type Service = "redis" | "postgres" | "chromium";

/** What a program has left behind. */
export interface Ended {
  stdout: string;
  stderr: string;
  /** The program's folder. */
  folder: string;
  /** What a receiver of telemetry got. */
  received: string;
  /** How many processes the program has left running. */
  processes: number;
}

/** The text of a file that a program has left in its folder; empty if there is none. */
export function read({ folder }: Ended, name: string): string {
  try {
    return Deno.readTextFileSync(`${folder}/${name}`);
  } catch {
    return "";
  }
}

/** The names of the files in a program's folder. */
export function files({ folder }: Ended): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name);
}

/** Whether a terminal shows its cursor, and echoes lines as before. */
export function isTerminalRestored(ended: Ended): boolean {
  const { stdout } = ended;
  const isCursorShown = stdout.lastIndexOf("\x1b[?25l") <= stdout.lastIndexOf("\x1b[?25h");
  return isCursorShown && read(ended, "stty-before") === read(ended, "stty-after");
}

export const terminalRestored = {
  what: "the cursor, and the terminal's mode",
  isKept: isTerminalRestored,
};

export const noProcessLeft = {
  what: "no child process is left",
  isKept: ({ processes }: Ended) => processes === 0,
};

/** Text of a program: `save()` is for packages that have nothing to be closed. */
export const saves = `
import { writeFile } from "node:fs/promises";
const save = async () => { await writeFile("saved", "all"); return existsSync("saved"); };
`;
