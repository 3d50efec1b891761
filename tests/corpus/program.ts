// What a program of the corpus is.

/** A program, with what it needs besides its text. */
export interface CorpusProgram {
  source: string;
  /** What stands before the program's file: permissions, say. Default: nothing. */
  flags?: string[];
  args?: string[];
  stdin?: string;
  /** Further files beside it. Those that are called `worker…` load the module too. */
  files?: Record<string, string>;
  /** How Deno gets the program. Default: `run`, from a file. */
  how?: "run" | "eval" | "stdin" | "test";
  /** The first and the last version of Deno that can run it, as in `version` of ../program.ts. */
  since?: number;
  until?: number;
}

/** Programs by their names. A text is a program that needs nothing else. */
export type Programs = Record<string, string | CorpusProgram>;

/** Makes a program of each pair of two tables: of a thing, and of a place to put it. */
export function combine(
  things: Record<string, string>,
  places: Record<string, string>,
  put: (thing: string, place: string) => string | CorpusProgram,
): Programs {
  const programs: Programs = {};
  for (const [thingName, thing] of Object.entries(things)) {
    for (const [placeName, place] of Object.entries(places)) {
      programs[`${thingName}, ${placeName}`] = put(thing, place);
    }
  }
  return programs;
}

/** Picks some rows of a table. */
export function pick(table: Record<string, string>, ...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, table[name]]));
}

/** Gives the same flags to programs. */
export function withFlags(flags: string[], programs: Programs): Programs {
  return Object.fromEntries(
    Object.entries(programs).map(([name, program]) => {
      const row = typeof program === "string" ? { source: program } : program;
      return [name, { ...row, flags: [...flags, ...row.flags ?? []] }];
    }),
  );
}

/** Leaves out programs on versions of Deno before one: those whose name contains one of the texts. */
export function since(version: number, texts: string[], programs: Programs): Programs {
  return Object.fromEntries(
    Object.entries(programs).map(([name, program]) => {
      if (!texts.some((text) => name.includes(text))) return [name, program];
      const row = typeof program === "string" ? { source: program } : program;
      return [name, { ...row, since: version }];
    }),
  );
}

/** Shows each event of the runtime, with all that a listener can see of it. */
export const watched = `
for (const type of ["load", "error", "unhandledrejection", "rejectionhandled", "beforeunload", "unload"]) {
  addEventListener(type, (event) =>
    console.log(
      ...[event.type, event.constructor.name, event.cancelable, event.bubbles, event.composed],
      ...[event.defaultPrevented, event.isTrusted, event.eventPhase, event.returnValue],
      ...[event.target === globalThis, event.currentTarget === globalThis, event.composedPath().length],
      ...[event.message, event.filename?.split("/").at(-1), event.lineno, event.colno],
      ...["error" in event ? typeof event.error : "", "reason" in event ? typeof event.reason : ""],
      Deno.exitCode,
    ));
}
`;

/** Takes each error, and shows that the program goes on. */
export const handled = `
let timer: number | undefined;
for (const type of ["error", "unhandledrejection"]) {
  addEventListener(type, (event) => {
    event.preventDefault();
    console.log("handled", type);
    timer ??= setTimeout(() => console.log("goes on"), 1);
  });
}
addEventListener("unload", () => console.log("unload", Deno.exitCode));
`;
