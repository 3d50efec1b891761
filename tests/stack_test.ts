// The stack of handlers.

import { assert, assertEquals } from "@std/assert";
import { type Entry, Stack } from "../registry.ts";
import { assertOutcome, run } from "./program.ts";
import { randomNumbers } from "./random_program.ts";

/** The same as a stack, as simple as possible. */
class NaiveStack {
  entries: Entry[] = [];

  get size(): number {
    return this.entries.length;
  }

  get asynchronous(): number {
    return this.entries.filter(({ awaited }) => awaited).length;
  }

  push(entry: Entry): void {
    this.entries.push(entry);
  }

  pop(): Entry | undefined {
    return this.entries.pop();
  }

  remove(handler: unknown): void {
    this.entries = this.entries.filter((entry) => entry.handler !== handler);
  }
}

function makeEntry(handler: object, awaited = false): Entry {
  return { handler, func: () => {}, args: [], self: undefined, awaited };
}

/** Handlers of both kinds: functions and resources. */
function makeHandlers(count: number): object[] {
  return Array.from({ length: count }, (_, index) => index % 2 === 0 ? () => index : { index });
}

function popAll(stack: Stack | NaiveStack): Entry[] {
  const entries: Entry[] = [];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) entries.push(entry);
  return entries;
}

/** Whether two lists hold the same objects. `assertEquals` would compare what is in them. */
function areSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

for (const most of [3, 40, 300]) {
  Deno.test(`Stack does the same as an array, with up to ${most} handlers`, () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = randomNumbers(seed);
      const handlers = makeHandlers(1 + Math.floor(random() * most));
      const pick = () => handlers[Math.floor(random() * handlers.length)];
      // The probability of each operation depends on the seed, so that stacks grow and shrink.
      const [pushes, pops] = [0.3 + random() * 0.5, random() * 0.3];
      // Some removals come late, when the stack has grown without an index.
      const firstRemoval = random() < 0.5 ? 0 : most * 2;
      const stack = new Stack();
      const naive = new NaiveStack();
      for (let step = 0; step < most * 4; step++) {
        const kind = random();
        if (kind < pushes) {
          const entry = makeEntry(pick(), random() < 0.3);
          stack.push(entry);
          naive.push(entry);
        } else if (kind < pushes + pops) {
          assert(stack.pop() === naive.pop(), `pop(), seed ${seed}, step ${step}`);
        } else if (step >= firstRemoval) {
          const handler = random() < 0.9 ? pick() : {};
          stack.remove(handler);
          naive.remove(handler);
        }
        const { size, asynchronous } = stack;
        assertEquals({ seed, step, size, asynchronous }, {
          seed,
          step,
          size: naive.size,
          asynchronous: naive.asynchronous,
        });
      }
      assert(areSame(popAll(stack), popAll(naive)), `popping all, seed ${seed}`);
      assertEquals([stack.size, stack.asynchronous], [0, 0]);
    }
  });
}

Deno.test("Stack does the same as an array while handlers change it during a run", () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = randomNumbers(seed);
    const handlers = makeHandlers(1 + Math.floor(random() * 60));
    const script = Array.from({ length: 2_000 }, () => ({
      adds: random() < 0.45,
      handler: handlers[Math.floor(random() * handlers.length)],
    }));
    /** Pops entries, changes the stack by the script after each, and returns their handlers. */
    const trace = (stack: Stack | NaiveStack): unknown[] => {
      const popped: unknown[] = [];
      let step = 0;
      for (const handler of [...handlers, ...handlers]) stack.push(makeEntry(handler));
      for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
        popped.push(entry.handler);
        for (let times = 0; times < 3 && step < script.length; times++) {
          const { adds, handler } = script[step++];
          if (adds) stack.push(makeEntry(handler));
          else stack.remove(handler);
        }
      }
      return popped;
    };
    assert(areSame(trace(new Stack()), trace(new NaiveStack())), `seed ${seed}`);
  }
});

Deno.test("Stack.remove() removes every entry of a handler among many others", () => {
  const stack = new Stack();
  const handlers = makeHandlers(200);
  for (const handler of [...handlers, ...handlers]) stack.push(makeEntry(handler));
  for (const [index, handler] of handlers.entries()) if (index % 4 !== 0) stack.remove(handler);
  const left = handlers.filter((_, index) => index % 4 === 0).reverse();
  assert(areSame(popAll(stack).map(({ handler }) => handler), [...left, ...left]));
});

Deno.test("Stack.remove() leaves the entries of others alone, whatever it is given", () => {
  const stack = new Stack();
  const handler = Object.assign(() => {}, { awaited: true });
  const entry = makeEntry(handler);
  stack.push(entry);
  for (const other of [undefined, null, 0, "handler", {}, () => {}, entry, entry.func]) {
    stack.remove(other);
  }
  assertEquals([stack.size, stack.asynchronous], [1, 0]);
  assertEquals(stack.pop(), entry);
  stack.remove(undefined);
  assertEquals([stack.size, stack.pop()], [0, undefined]);
});

Deno.test("Stack works when the program replaces methods of Map and Array", () => {
  const handlers = makeHandlers(4);
  const entries = handlers.map((handler) => makeEntry(handler));
  const stack = new Stack();
  const popped: unknown[] = [];
  const originals = [Map.prototype, Array.prototype].map((prototype) => ({
    prototype,
    descriptors: Object.getOwnPropertyDescriptors<object>(prototype),
  }));
  const value = () => {
    throw new Error("replaced");
  };
  for (const method of ["get", "set", "delete", "has", "forEach", Symbol.iterator]) {
    Object.defineProperty(Map.prototype, method, { value });
  }
  for (const method of ["push", "pop", "indexOf", "filter", Symbol.iterator]) {
    Object.defineProperty(Array.prototype, method, { value });
  }
  try {
    for (let i = 0; i < 4; i++) stack.push(entries[i]);
    stack.push(entries[1]);
    stack.remove(handlers[1]);
    stack.push(entries[3]);
    for (let i = 0; i < 5; i++) popped[i] = stack.pop();
  } finally {
    for (let i = 0; i < originals.length; i++) {
      Object.defineProperties(originals[i].prototype, originals[i].descriptors);
    }
  }
  assert(areSame(popped, [entries[3], entries[3], entries[2], entries[0], undefined]));
});

/** A program that has a stack, and functions to make entries and to list those that are left. */
const memoryProgram = `
  import { Stack } from "${new URL("../registry.ts", import.meta.url).href}";

  const stack = new Stack();
  const references = new Map();

  function push(name) {
    const [handler, args] = [{ name }, [{ name }]];
    references.set(name + " handler", new WeakRef(handler));
    references.set(name + " args", new WeakRef(args[0]));
    stack.push({ handler, func: () => handler, args, self: handler, awaited: false });
    return handler;
  }

  async function printLeft() {
    await new Promise((resolve) => setTimeout(resolve)); // A WeakRef is strong until the turn ends.
    gc();
    const left = [...references].filter(([, reference]) => reference.deref() !== undefined);
    console.log(left.map(([name]) => name).join(", ") || "nothing");
  }
`;
const withGc = { command: ["run", "--v8-flags=--expose-gc"] };

for (const count of [1, 10, 100, 3_000]) {
  Deno.test(`Stack.remove() keeps nothing of ${count} handlers, between others`, async () => {
    const program = `${memoryProgram}
      push("bottom");
      (() => {
        const handlers = Array.from({ length: ${count} }, (_, index) => push("removed " + index));
        push("top");
        for (const handler of handlers) stack.remove(handler);
      })();
      await printLeft();
      console.log(stack.size);
    `;
    const left = "bottom handler, bottom args, top handler, top args";
    assertOutcome(await run(program, withGc), { code: 0, lines: [left, "2"] });
  });
}

for (const removes of [false, true]) {
  const name = removes ? "with an index" : "without an index";
  Deno.test(`Stack.pop() keeps nothing of the entry, ${name}`, async () => {
    const program = `${memoryProgram}
      if (${removes}) stack.remove(undefined);
      push("bottom");
      (() => {
        for (let index = 0; index < 100; index++) push("popped " + index);
        for (let index = 0; index < 100; index++) stack.pop();
      })();
      await printLeft();
      stack.pop();
      await printLeft();
    `;
    const lines = ["bottom handler, bottom args", "nothing"];
    assertOutcome(await run(program, withGc), { code: 0, lines });
  });
}

Deno.test("Stack does not grow while handlers are registered and removed", async () => {
  const program = `${memoryProgram}
    const churn = (cycles) => {
      for (let index = 0; index < cycles; index++) {
        const handler = () => index;
        const entry = { handler, func: handler, args: [index], self: undefined, awaited: false };
        stack.push(entry);
        stack.push(entry);
        stack.remove(handler);
      }
    };
    const heapUsed = () => (gc(), Deno.memoryUsage().heapUsed);
    for (let index = 0; index < 10; index++) push(index);
    churn(1e5);
    const before = heapUsed();
    churn(1e5);
    console.log(Math.round((heapUsed() - before) / 1024));
  `;
  const outcome = await run(program, withGc);
  const grownBy = Number(outcome.lines[0]);
  assertOutcome(outcome, () => assert(grownBy < 256, `grown by ${grownBy} KiB`));
});
