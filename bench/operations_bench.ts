// The same operations under `deno bench`, for a closer look at one of them:
// deno bench -A --no-config --filter "register 10000 " bench/operations_bench.ts

import { type Func, makeFunctions, shuffle, type Subject, subjects } from "./subjects.ts";

/** The most handlers to try, for those whose calls cost more the more handlers there are. */
const limits: Record<string, { register?: number; unregister: number }> = {
  "npm:signal-exit": { unregister: 1e4 },
  "process.on": { unregister: 1e4 },
  "unload listener": { register: 1e2, unregister: 1e2 },
};

for (const [name, load] of Object.entries(subjects)) {
  const subject: Subject = await load();
  const { register = 1e6, unregister = 1e6 } = limits[name] ?? {};

  for (const count of [1e2, 1e4, 1e6]) {
    if (count > register) continue;
    const funcs = makeFunctions(count);

    add("register", name, count, (timer) => {
      timer.start();
      subject.register(funcs);
      timer.end();
      subject.clear(funcs);
    });

    if (subject.run !== undefined) {
      add("run", name, count, (timer) => {
        subject.register(funcs);
        timer.start();
        subject.run!();
        timer.end();
      });
    }

    if (subject.unregister !== undefined && count <= unregister) {
      const places = shuffle(count);
      add("unregister", name, count, (timer) => {
        const removers: Func[] = [];
        subject.register(funcs, removers);
        timer.start();
        subject.unregister!(places, funcs, removers);
        timer.end();
        subject.clear(funcs);
      });
    }
  }
}

function add(
  operation: string,
  name: string,
  count: number,
  fn: (timer: Deno.BenchContext) => void,
): void {
  const group = `${operation} ${count}`;
  const repeats = count === 1e6 ? { n: 5, warmup: 1 } : {};
  Deno.bench({ name: `${group} ${name}`, group, baseline: name === "atexit", fn, ...repeats });
}
