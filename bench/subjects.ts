// What is compared. Each subject has its own loops, so that what V8 learns about one of them does not
// slow down another.

import { register, unregister } from "../mod.ts";
import { Stack } from "../registry.ts";

export type Func = () => void;

/** Something that takes functions and calls them in the end. */
export interface Subject {
  /** Registers every function. Subjects that return a function for the removal add it to `removers`. */
  register(funcs: Func[], removers?: Func[]): void;
  /** Removes the functions that were registered at these places, one after the other. */
  remove?(places: Uint32Array, funcs: Func[], removers: Func[]): void;
  /** Calls and removes every function. */
  run?(): void;
  /** Registers and removes a new function, as often as this. */
  churn?(cycles: number): void;
  /** Removes every function, in whatever way is fastest. */
  clear(funcs: Func[]): void;
}

/** Loads a subject, and no package but its own. */
export const subjects = {
  "atexit": () => atexit,
  "Stack": () => new BareStack(),
  "Set": () => new CallbackSet(),
  "array push": () => new ArrayPush(),
  "DisposableStack": () => new Disposables(),
  "npm:signal-exit": loadSignalExit,
  "npm:exit-hook": loadExitHook,
  "process.on": () => processExit,
  "unload listener": () => unloadListener,
} satisfies Record<string, () => Subject | Promise<Subject>>;

export type SubjectName = keyof typeof subjects;

/** The largest number of handlers that is measured. */
interface Limits {
  readonly register: number;
  readonly remove: number;
}

/** The limits of subjects that cannot remove, or whose calls cost more the more handlers there are. */
const limits: { readonly [name in SubjectName]?: Limits } = {
  "array push": { register: Infinity, remove: 0 },
  "DisposableStack": { register: Infinity, remove: 0 },
  "npm:signal-exit": { register: Infinity, remove: 1e4 },
  "process.on": { register: Infinity, remove: 1e4 },
  "unload listener": { register: 1e4, remove: 1e3 },
};

export function getLimits(name: SubjectName): Limits {
  return limits[name] ?? { register: Infinity, remove: Infinity };
}

const atexit: Subject = {
  register(funcs) {
    for (let i = 0; i < funcs.length; i++) register(funcs[i]);
  },
  remove(places, funcs) {
    for (let i = 0; i < places.length; i++) unregister(funcs[places[i]]);
  },
  run: unload,
  churn(cycles) {
    for (let i = 0; i < cycles; i++) {
      const func = () => void i;
      register(func);
      unregister(func);
    }
  },
  clear: unload,
};

/** Runs the handlers as at the end of the program, which goes on. */
function unload(): void {
  dispatchEvent(new Event("unload"));
}

const noArgs: readonly unknown[] = [];

/** The stack of handlers alone, without checks of arguments and without a lifecycle. */
class BareStack implements Subject {
  #stack = new Stack();

  register(funcs: Func[]): void {
    for (let i = 0; i < funcs.length; i++) this.#push(funcs[i]);
  }

  #push(func: Func): void {
    this.#stack.push({
      handler: func,
      func,
      args: noArgs,
      self: undefined,
      awaited: false,
      funcSync: undefined,
    });
  }

  remove(places: Uint32Array, funcs: Func[]): void {
    for (let i = 0; i < places.length; i++) this.#stack.remove(funcs[places[i]]);
  }

  run(): void {
    for (let entry = this.#stack.pop(); entry !== undefined; entry = this.#stack.pop()) {
      Reflect.apply(entry.func, entry.self, entry.args as never[]);
    }
  }

  churn(cycles: number): void {
    for (let i = 0; i < cycles; i++) {
      const func = () => void i;
      this.#push(func);
      this.#stack.remove(func);
    }
  }

  /** A removal of the next round builds the index again, as the first one of a program does. */
  clear(): void {
    this.#stack = new Stack();
  }
}

/** What exit-hook has inside. A process can run the handlers of exit-hook itself only once. */
class CallbackSet implements Subject {
  #callbacks = new Set<Func>();

  register(funcs: Func[]): void {
    for (let i = 0; i < funcs.length; i++) this.#callbacks.add(funcs[i]);
  }

  remove(places: Uint32Array, funcs: Func[]): void {
    for (let i = 0; i < places.length; i++) this.#callbacks.delete(funcs[places[i]]);
  }

  run(): void {
    for (const callback of this.#callbacks) callback();
    this.clear();
  }

  churn(cycles: number): void {
    for (let i = 0; i < cycles; i++) {
      const func = () => void i;
      this.#callbacks.add(func);
      this.#callbacks.delete(func);
    }
  }

  clear(): void {
    this.#callbacks = new Set();
  }
}

/** The least that a registry can be: a list of functions with their arguments. */
class ArrayPush implements Subject {
  #handlers: { func: (...args: unknown[]) => void; args: unknown[] }[] = [];

  register(funcs: Func[]): void {
    for (let i = 0; i < funcs.length; i++) this.#push(funcs[i]);
  }

  #push(func: Func, ...args: unknown[]): void {
    this.#handlers.push({ func, args });
  }

  run(): void {
    for (let handler = this.#handlers.pop(); handler; handler = this.#handlers.pop()) {
      handler.func(...handler.args);
    }
  }

  clear(): void {
    this.#handlers = [];
  }
}

class Disposables implements Subject {
  #stack = new DisposableStack();

  register(funcs: Func[]): void {
    for (let i = 0; i < funcs.length; i++) this.#stack.defer(funcs[i]);
  }

  run(): void {
    this.#stack.dispose();
    this.clear();
  }

  clear(): void {
    this.#stack = new DisposableStack();
  }
}

async function loadSignalExit(): Promise<Subject> {
  const { onExit } = await import("npm:signal-exit@4");
  onExit(() => {}); // Without a handler it would remove its listeners, and add them again later.
  const emitter = Reflect.get(globalThis, Symbol.for("signal-exit emitter"));
  return {
    register(funcs, removers) {
      for (let i = 0; i < funcs.length; i++) {
        const remover = onExit(funcs[i]);
        if (removers !== undefined) removers[i] = remover;
      }
    },
    remove(places, _funcs, removers) {
      for (let i = 0; i < places.length; i++) removers[places[i]]();
    },
    churn(cycles) {
      for (let i = 0; i < cycles; i++) {
        const func = () => void i;
        const remover = onExit(func);
        remover();
      }
    },
    clear() {
      emitter.listeners.exit.length = 1;
    },
  };
}

async function loadExitHook(): Promise<Subject> {
  const { default: exitHook } = await import("npm:exit-hook@5");
  exitHook(() => {})(); // Adds its listeners.
  return {
    register(funcs, removers) {
      for (let i = 0; i < funcs.length; i++) {
        const remover = exitHook(funcs[i]);
        if (removers !== undefined) removers[i] = remover;
      }
    },
    remove(places, _funcs, removers) {
      for (let i = 0; i < places.length; i++) removers[places[i]]();
    },
    churn(cycles) {
      for (let i = 0; i < cycles; i++) {
        const func = () => void i;
        const remover = exitHook(func);
        remover();
      }
    },
    clear(funcs) {
      for (const func of funcs) exitHook(func)();
    },
  };
}

const processExit: Subject = {
  register(funcs) {
    process.setMaxListeners(0);
    for (let i = 0; i < funcs.length; i++) process.on("exit", funcs[i]);
  },
  remove(places, funcs) {
    for (let i = 0; i < places.length; i++) process.off("exit", funcs[places[i]]);
  },
  run() {
    process.emit("exit", 0);
    this.clear([]);
  },
  churn(cycles) {
    for (let i = 0; i < cycles; i++) {
      const func = () => void i;
      process.on("exit", func);
      process.off("exit", func);
    }
  },
  clear() {
    process.removeAllListeners("exit");
  },
};

const unloadListener: Subject = {
  register(funcs) {
    for (let i = 0; i < funcs.length; i++) addEventListener("unload", funcs[i]);
  },
  remove(places, funcs) {
    for (let i = 0; i < places.length; i++) removeEventListener("unload", funcs[places[i]]);
  },
  churn(cycles) {
    for (let i = 0; i < cycles; i++) {
      const func = () => void i;
      addEventListener("unload", func);
      removeEventListener("unload", func);
    }
  },
  clear(funcs) {
    for (const func of funcs) removeEventListener("unload", func);
  },
};

/** Creates different functions that do nearly nothing. */
export function makeFunctions(count: number): Func[] {
  let calls = 0;
  const funcs: Func[] = [];
  for (let i = 0; i < count; i++) funcs.push(() => void calls++);
  return funcs;
}

/** The numbers below `count` in random order, which is the same each time. */
export function shuffle(count: number): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, i) => i);
  let random = 1;
  for (let i = count - 1; i > 0; i--) {
    random = (random * 48271) % 0x7fffffff;
    const j = random % (i + 1);
    [numbers[i], numbers[j]] = [numbers[j], numbers[i]];
  }
  return numbers;
}
