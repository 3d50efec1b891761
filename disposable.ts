// The types of disposable objects, also for projects whose `lib` does not have them.

/**
 * An object with a `[Symbol.dispose]()` method: what `using` and {@linkcode register} accept. It is the
 * `Disposable` of TypeScript's `lib.esnext.disposable`. In projects whose `lib` lacks that, no object
 * has this type, and those that this module returns are opaque.
 *
 * See [Explicit Resource Management](https://github.com/tc39/proposal-explicit-resource-management)
 * of TC39.
 */
export type Disposable = SymbolConstructor extends { readonly dispose: infer S extends symbol }
  ? { readonly [K in S]: () => void }
  : { readonly "needs esnext.disposable in lib": never };

/**
 * An object with a `[Symbol.asyncDispose]()` method: what `await using` and {@linkcode registerAsync}
 * accept. It is the `AsyncDisposable` of TypeScript's `lib.esnext.disposable`. In projects whose `lib`
 * lacks that, no object has this type.
 *
 * See [Explicit Resource Management](https://github.com/tc39/proposal-explicit-resource-management)
 * of TC39.
 */
export type AsyncDisposable = SymbolConstructor extends
  { readonly asyncDispose: infer S extends symbol } ? { readonly [K in S]: () => PromiseLike<void> }
  : { readonly "needs esnext.disposable in lib": never };
