// How the options of a call are read.

import { describe } from "./errors.ts";

// Taken now, so that a program that changes them later cannot break a call.
const { getPrototypeOf, hasOwn } = Object;
const ObjectPrototype = Object.prototype;

/**
 * Reads an option of a call. What somebody has put on `Object.prototype` is none.
 *
 * @param action What cannot be done if these are no options.
 */
export function optionOf<T extends object, K extends keyof T & string>(
  options: T | undefined,
  name: K,
  action: string,
): T[K] | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${action}: expected options, received ${describe(options)}`);
  }
  const isOption = hasOwn(options, name) || getPrototypeOf(options) !== ObjectPrototype;
  return isOption ? options[name] : undefined;
}
