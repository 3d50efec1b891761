// What is measured, and what it is measured against. Each has its own loops, so that what V8
// learns about one of them does not slow down another.

import { register, unregister } from "../mod.ts";
import { Stack } from "../registry.ts";

export type Func = () => void;

/** Something that takes functions and calls them in the end. */
export interface Subject {
  /**
   * Registers every function.
   *
   * @param removers Where to put what takes a function back, for those that have such a thing.
   */
  register(funcs: Func[], removers?: Func[]): void;
  /** Takes back the functions that were registered at these places, one after the other. */
  unregister?(places: Uint32Array, funcs: Func[], removers: Func[]): void;
  /** Calls every function, and forgets it. */
  run?(): void;
  /** So many times registers a fresh function and takes it back. */
  churn?(cycles: number): void;
  /** Forgets every function. */
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

const atexit: Subject = {
  register(funcs) {
    for (let i = 0; i < funcs.length; i++) register(funcs[i]);
  },
  unregister(places, funcs) {
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

/** By hand: the handlers run, and the program lives on. */
function unload(): void {
  dispatchEvent(new Event("unload"));
}

const noArgs: readonly unknown[] = [];

/** The stack of handlers, without the functions that check what they are given. */
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

  unregister(places: Uint32Array, funcs: Func[]): void {
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

  clear(): void {
    while (this.#stack.pop() !== undefined);
  }
}

/** The `Set` that exit-hook has inside. A process can run exit-hook itself only once. */
class CallbackSet implements Subject {
  #callbacks = new Set<Func>();

  register(funcs: Func[]): void {
    for (let i = 0; i < funcs.length; i++) this.#callbacks.add(funcs[i]);
  }

  unregister(places: Uint32Array, funcs: Func[]): void {
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
  onExit(() => {}); // Without any handler it takes its listeners off, to add them again later.
  const emitter = Reflect.get(globalThis, Symbol.for("signal-exit emitter"));
  return {
    register(funcs, removers) {
      for (let i = 0; i < funcs.length; i++) {
        const remover = onExit(funcs[i]);
        if (removers !== undefined) removers[i] = remover;
      }
    },
    unregister(places, _funcs, removers) {
      for (let i = 0; i < places.length; i++) removers[places[i]]();
    },
    clear() {
      emitter.listeners.exit.length = 1;
    },
  };
}

async function loadExitHook(): Promise<Subject> {
  const { default: exitHook } = await import("npm:exit-hook@5");
  exitHook(() => {})(); // Adds its listeners, of which one exits: `deno bench` refuses that.
  process.removeAllListeners("beforeExit");
  return {
    register(funcs, removers) {
      for (let i = 0; i < funcs.length; i++) {
        const remover = exitHook(funcs[i]);
        if (removers !== undefined) removers[i] = remover;
      }
    },
    unregister(places, _funcs, removers) {
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
  unregister(places, funcs) {
    for (let i = 0; i < places.length; i++) process.off("exit", funcs[places[i]]);
  },
  run() {
    process.emit("exit", 0);
    this.clear([]);
  },
  clear() {
    process.removeAllListeners("exit");
  },
};

const unloadListener: Subject = {
  register(funcs) {
    for (let i = 0; i < funcs.length; i++) addEventListener("unload", funcs[i]);
  },
  unregister(places, funcs) {
    for (let i = 0; i < places.length; i++) removeEventListener("unload", funcs[places[i]]);
  },
  clear(funcs) {
    for (const func of funcs) removeEventListener("unload", func);
  },
};

/** Makes functions that are not the same, and do nearly nothing. */
export function makeFunctions(count: number): Func[] {
  let calls = 0;
  const funcs: Func[] = [];
  for (let i = 0; i < count; i++) funcs.push(() => void calls++);
  return funcs;
}

/** The numbers below `count`, each once, in an order that is random and always the same. */
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
