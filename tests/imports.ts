// What the files of a program load when it runs, by `deno info`.

/** What `deno info --json` prints, as far as it is used here. */
interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    /** A dependency that is only a type has no `code`. */
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier: string };
    }[];
  }[];
}

/** An import of a file: as it is written, and its URL. */
export interface Import {
  readonly specifier: string;
  readonly url: string;
}

/** Returns what each file imports, by its URL, from a file on. Imports of types load nothing. */
export async function findImports(file: string): Promise<Map<string, Import[]>> {
  const args = ["info", "--no-config", "--json", file];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  const { modules }: ModuleGraph = JSON.parse(new TextDecoder().decode(stdout));
  return new Map(modules.map(({ specifier, dependencies = [] }) => [
    specifier,
    dependencies.flatMap(({ specifier, code }) =>
      code === undefined ? [] : [{ specifier, url: code.specifier }]
    ),
  ]));
}
