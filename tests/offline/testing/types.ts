// `@std/testing/types` 1 where JSR is out of reach.

/** Asserts at compile time that a type is `true` (or `false`). */
export function assertType<T extends boolean>(_expectTrue: T): void {}

/** Accepts only `true`. */
export type AssertTrue<T extends true> = never;

/** Whether two types are the same. `any` is the same as `any` only. */
export type IsExact<T, U> = (<V>() => V extends T ? 1 : 2) extends (<V>() => V extends U ? 1 : 2)
  ? true
  : false;

export type IsAny<T> = 0 extends 1 & T ? true : false;
export type IsNever<T> = [T] extends [never] ? true : false;
export type IsUnknown<T> = IsAny<T> extends true ? false : unknown extends T ? true : false;
export type IsNullable<T> = null extends T ? true : undefined extends T ? true : false;

/** Whether a type has every member of the union `U`. */
export type Has<T, U> = IsAny<T> extends true ? true : [U] extends [T] ? true : false;
export type NotHas<T, U> = Has<T, U> extends true ? false : true;
