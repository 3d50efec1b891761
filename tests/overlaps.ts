// What becomes of two ends at once: the second comes while a handler is awaited for the first.

/** A run for which nothing has decided the status yet. */
const undecided = {
  "exit": "10 awaited exit",
  "Deno.exit": "11 cut exit",
  "SystemExit": "12 awaited exit",
  "error": "1 awaited error 1",
  "rejection": "1 awaited error 1",
  "signal": "143 awaited SIGTERM",
};

/** One that an error has started. */
const decidedByError = {
  "dry": "1 stuck error 1",
  "exit": "1 awaited error 1",
  "Deno.exit": "11 cut exit",
  "SystemExit": "1 awaited error 1",
  "error": "1 awaited error 1",
  "rejection": "1 awaited error 1",
  "signal": "143 awaited SIGTERM",
};

/**
 * For each first end (row) and second end (column): the status, what becomes of the handler that is
 * awaited, and the reason that the last handler reads. The one awaited is `awaited` until it
 * settles, `cut` short (the rest runs at once) or `stuck` (given up, since the loop has run dry).
 */
export const overlaps: Record<string, Record<string, string>> = {
  "dry": { "dry": "1 stuck dry", ...undecided },
  "exit": { "dry": "1 stuck exit", ...undecided },
  "SystemExit": { "dry": "1 stuck exit", ...undecided },
  "error": decidedByError,
  "rejection": decidedByError,
  "signal": {
    "dry": "143 stuck SIGTERM",
    "exit": "143 awaited SIGTERM",
    "Deno.exit": "11 cut exit",
    "SystemExit": "143 awaited SIGTERM",
    "error": "143 awaited SIGTERM",
    "rejection": "143 awaited SIGTERM",
    "signal": "143 cut SIGTERM",
  },
};

/** The code that a handler reads in a program that is ending in this way. */
export const codes: Record<string, number> = {
  dry: 0,
  exit: 10,
  SystemExit: 12,
  error: 1,
  rejection: 1,
  signal: 143,
};

export const isError = (end: string) => end === "error" || end === "rejection";
