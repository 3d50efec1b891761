// What the portable tests of errors have in common.

/** What throws or rejects, and what shows it to `process`. */
export const errors: Record<string, string> = {
  "an error": `setTimeout(() => { throw new Error("boom"); });`,
  "a rejection": `setTimeout(() => Promise.reject(new Error("boom")));`,
};

/** A handler of each kind, which tells the code and the reason. */
export const handlers: Record<string, string> = {
  "synchronous": `register(() => console.log("handler", code(), exitReason().kind));`,
  "asynchronous":
    `registerAsync(async () => { await turn(); console.log("handler", code(), exitReason().kind); });`,
};
