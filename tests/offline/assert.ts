// `@std/assert` where JSR is out of reach: the implementation from npm, which has no types, with the
// types of the real package.

// @ts-types="./assert.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
