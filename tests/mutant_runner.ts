// Runs tests with one mutant after the other, in one process. Started by mutate.ts, which has put the
// mutants into the files.

/** The environment variable by which a mutant is active from the beginning. */
export const MUTANT_VARIABLE = "__STRYKER_ACTIVE_MUTANT__";

/** The exit status if the tests fail without a mutant. */
export const FAILED = 3;

/** How often a mutated place may be reached: more is an endless loop. */
const HIT_LIMIT = 1_000_000;

/** The global variable of Stryker's instrumentation. */
interface Instrumentation {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number;
  hitLimit?: number;
  /** How often each mutant's place was reached: at the import, and in each test. */
  mutantCoverage?: { static: Coverage; perTest: { [test: string]: Coverage } };
}

type Coverage = { readonly [mutant: string]: number };

/** Runs the tests in process. Prints a line for each mutant. */
async function main(ids: readonly string[], files: readonly string[]): Promise<void> {
  const functions: (() => unknown)[] = [];
  const test = (_: string, func: () => unknown) => void functions.push(func);
  Object.defineProperty(Deno, "test", { value: test });
  const state: Instrumentation = {};
  (globalThis as { __stryker__?: Instrumentation }).__stryker__ = state;
  let failure: { readonly error: unknown } | undefined;
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    failure = { error: event.reason };
  });

  /** Runs tests. Returns what the first one that fails throws. */
  const run = async (indexes: Iterable<number>): Promise<typeof failure> => {
    failure = undefined;
    state.hitCount = 0;
    for (const index of indexes) {
      state.currentTestId = `${index}`;
      try {
        await functions[index]();
      } catch (error) {
        if (error instanceof Deno.errors.NotSupported) continue; // It starts programs.
        failure = { error };
        break;
      }
    }
    state.currentTestId = undefined;
    await new Promise((resolve) => setTimeout(resolve)); // Rejections are reported before.
    return failure;
  };
  const report = (id: string, result: typeof failure) =>
    console.log(`${id} ${result === undefined ? "survived" : "caught"}`);

  const isStatic = Deno.env.has(MUTANT_VARIABLE);
  try {
    for (const file of files) await import(new URL(`../${file}`, import.meta.url).href);
  } catch (error) {
    if (!isStatic) throw error;
    return report(ids[0], { error });
  }
  const all = functions.keys().toArray();
  if (isStatic) {
    state.hitLimit = HIT_LIMIT;
    return report(ids[0], await run(all));
  }

  const unexpected = await run(all);
  if (unexpected !== undefined) throw unexpected.error;
  const { mutantCoverage: coverage = { static: {}, perTest: {} } } = state;
  state.hitLimit = HIT_LIMIT;
  for (const id of ids) {
    if (coverage.static[id] > 0) {
      console.log(`${id} static`);
      continue;
    }
    state.activeMutant = id;
    report(id, await run(all.filter((index) => coverage.perTest[index]?.[id] > 0)));
    state.activeMutant = undefined;
  }
}

if (import.meta.main) {
  const [ids, ...files] = Deno.args;
  try {
    await main(ids.split(","), files);
  } catch (error) {
    console.error(error);
    Deno.exit(FAILED);
  }
}
