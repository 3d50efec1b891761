// Replacing functions of the runtime, and rejections that it sees.

const { defineProperty } = Reflect;
const { getOwnPropertyDescriptor, hasOwn } = Object;

/**
 * Replaces a method by one that looks like it: name, length and attributes are the same.
 *
 * @param wrap Makes the replacement.
 * @returns The replacement, or `undefined` if the program has frozen the method.
 */
export function replaceMethod<T extends object, K extends keyof T>(
  target: T,
  name: K,
  wrap: (original: T[K]) => T[K],
): T[K] | undefined {
  const original = target[name];
  const value = wrap(original);
  for (const property of ["name", "length"]) {
    const descriptor = getOwnPropertyDescriptor(original, property);
    if (descriptor !== undefined) defineProperty(value as object, property, descriptor);
  }
  const isInherited = !hasOwn(target, name);
  const descriptor = isInherited ? { value, writable: true, configurable: true } : { value };
  return defineProperty(target, name, descriptor) ? value : undefined;
}

/**
 * Returns a rejected promise that the runtime sees: `Promise` may be a foreign one (zone.js,
 * bluebird), the promise of an `async` function is always native.
 */
// deno-lint-ignore require-await
export async function reject(error: unknown): Promise<never> {
  throw error;
}
