// The outcome of two ends at once: the second one begins while a handler is awaited for the first.

/** The first end is an exit with this code. */
const decidedByExit = (code: number) => ({
  "finished": "1 stuck exit",
  "exit": `${code} awaited exit`,
  "process.exit": `${code} awaited exit`,
  "SystemExit": `${code} awaited exit`,
  "error": "1 awaited error 1",
  "rejection": "1 awaited error 1",
  "signal": "143 awaited SIGTERM",
});

/** The first end is an error. */
const decidedByError = {
  "finished": "1 stuck error 1",
  "exit": "1 awaited error 1",
  "process.exit": "1 awaited error 1",
  "SystemExit": "1 awaited error 1",
  "error": "1 awaited error 1",
  "rejection": "1 awaited error 1",
  "signal": "143 awaited SIGTERM",
};

/**
 * For each first end (row) and second end (column): the status, what becomes of the handler that is
 * awaited, and the reason that the last handler reads. The handler is `awaited` until it settles,
 * `interrupted` (the rest runs immediately), or `stuck` (it has failed, since the event loop is empty).
 */
export const overlaps: Record<string, Record<string, string>> = {
  "finished": {
    "finished": "1 stuck finished",
    "exit": "10 awaited exit",
    "process.exit": "11 awaited exit",
    "SystemExit": "12 awaited exit",
    "error": "1 awaited error 1",
    "rejection": "1 awaited error 1",
    "signal": "143 awaited SIGTERM",
  },
  "exit": decidedByExit(10),
  "SystemExit": decidedByExit(12),
  "error": decidedByError,
  "rejection": decidedByError,
  "signal": {
    "finished": "143 stuck SIGTERM",
    "exit": "143 awaited SIGTERM",
    "process.exit": "143 awaited SIGTERM",
    "SystemExit": "143 awaited SIGTERM",
    "error": "143 awaited SIGTERM",
    "rejection": "143 awaited SIGTERM",
    "signal": "143 interrupted SIGTERM",
  },
};

/** The code that a handler reads in a program that is ending in this way. */
export const codes: Record<string, number> = {
  finished: 0,
  exit: 10,
  SystemExit: 12,
  error: 1,
  rejection: 1,
  signal: 143,
};

export const isError = (end: string) => end === "error" || end === "rejection";
