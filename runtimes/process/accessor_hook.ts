// A hook in front of a method of `process`, which others may replace before and after.

import type { AnyFunction } from "./natives.ts";

const { apply, defineProperty } = Reflect;
const { getOwnPropertyDescriptor, getPrototypeOf } = Object;

/** Decides about a call. `proceed()` calls what the hook stands in front of. */
export type Intercept = (
  args: ArrayLike<unknown>,
  proceed: (args: ArrayLike<unknown>) => unknown,
  hook: AnyFunction,
) => unknown;

/** A call that is being intercepted. */
interface Interception {
  readonly key: string;
  readonly face: AnyFunction;
}

/**
 * Intercepts the calls of a method, whoever else replaces it, and in whichever order.
 *
 * Packages such as signal-exit 3 and 4 save `process.emit` when they are imported, replace it when
 * they are first used, and put back what they saved when they are no longer used. A hook that is an
 * ordinary property is bypassed if they were imported before it. So the property is an accessor: the
 * setter stores what is assigned, and the getter returns a *face* of it, a function that intercepts
 * the call and then calls what was assigned. Each function has one face, so that a package that
 * compares, or puts back what it saved, finds its own. Faces that are called by what stands in front
 * of them pass the call on: each call is intercepted once, by the outermost one.
 */
export class AccessorHook {
  readonly #target: object;
  readonly #name: string;
  readonly #getKey: (args: ArrayLike<unknown>) => string | undefined;
  readonly #intercept: Intercept;
  readonly #faces = new WeakMap<AnyFunction, AnyFunction>();
  readonly #originals = new WeakMap<AnyFunction, AnyFunction>();
  readonly #accessor: PropertyDescriptor;
  #face: unknown;
  #current: Interception | undefined;

  /**
   * @param getKey Returns what a call is about, or `undefined` if it is none of the module's
   * business. A call about the same inside an intercepted call, through an inner face, is passed on.
   */
  constructor(
    target: object,
    name: string,
    getKey: (args: ArrayLike<unknown>) => string | undefined,
    intercept: Intercept,
  ) {
    this.#target = target;
    this.#name = name;
    this.#getKey = getKey;
    this.#intercept = intercept;
    const getFace = () => this.#face;
    const setMethod = (self: unknown, method: unknown) => this.#set(self, method);
    this.#accessor = {
      get: () => getFace(),
      set(method: unknown) {
        setMethod(this, method);
      },
      enumerable: getOwnPropertyDescriptor(target, name)?.enumerable ?? false,
      configurable: true,
    };
  }

  /**
   * Puts the hook in place: at first, and again if the program has defined or deleted the property.
   *
   * @returns Whether it is in place. Not if the program has frozen the property.
   */
  check(): boolean {
    const target = this.#target;
    const descriptor = getOwnPropertyDescriptor(target, this.#name);
    if (descriptor?.get !== undefined && descriptor.get === this.#accessor.get) return true;
    if (descriptor?.configurable === false) return false;
    this.#face = this.#getFace(descriptor === undefined ? this.#inherit() : this.#read());
    return defineProperty(target, this.#name, this.#accessor);
  }

  #read(): unknown {
    return (this.#target as { [name: string]: unknown })[this.#name];
  }

  /** Looks the inherited method up at each call, because others may replace it. */
  #inherit(): AnyFunction | undefined {
    const target = this.#target;
    const name = this.#name;
    const method = (getPrototypeOf(target) as { [name: string]: AnyFunction | undefined })[name];
    if (method === undefined) return undefined;
    const inherited = function (this: unknown) {
      return apply(getPrototypeOf(target)[name], this, arguments);
    };
    copyNameAndLength(method, inherited);
    return inherited;
  }

  #set(self: unknown, method: unknown): void {
    if (self === this.#target) {
      this.#face = this.#getFace(method);
    } else {
      // The target is called through a proxy, or has been inherited from.
      const property = { value: method, writable: true, enumerable: true, configurable: true };
      defineProperty(self as object, this.#name, property);
      this.check();
    }
  }

  #getFace(method: unknown): unknown {
    if (typeof method !== "function") return method;
    const original = method as AnyFunction;
    if (this.#originals.has(original)) return original; // A face that was saved is put back.
    let face = this.#faces.get(original);
    if (face === undefined) {
      face = this.#createFace(original);
      this.#faces.set(original, face);
      this.#originals.set(face, original);
    }
    return face;
  }

  #createFace(original: AnyFunction): AnyFunction {
    const target = this.#target;
    const getKey = this.#getKey;
    const isInner = (key: string) => this.#current?.key === key && this.#current.face !== face;
    const proceed = (args: ArrayLike<unknown>) => apply(original, target, args);
    const intercept = (key: string, args: ArrayLike<unknown>) =>
      this.#interceptOnce({ key, face }, args, proceed);
    const face = function (this: unknown) {
      const key = this === target ? getKey(arguments) : undefined;
      if (key === undefined || isInner(key)) return apply(original, this, arguments);
      return intercept(key, arguments);
    };
    copyNameAndLength(original, face);
    return face;
  }

  #interceptOnce(
    call: Interception,
    args: ArrayLike<unknown>,
    proceed: (args: ArrayLike<unknown>) => unknown,
  ): unknown {
    const outer = this.#current;
    this.#current = call;
    try {
      return this.#intercept(args, proceed, call.face);
    } finally {
      this.#current = outer;
    }
  }
}

function copyNameAndLength(from: AnyFunction, to: AnyFunction): void {
  for (const property of ["name", "length"]) {
    const descriptor = getOwnPropertyDescriptor(from, property);
    if (descriptor !== undefined) defineProperty(to, property, { ...descriptor });
  }
}
