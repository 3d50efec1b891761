// For scripts that run the tests in several ways: which files there are, and what the runner says.

const root = new URL("..", import.meta.url);

/** The files of tests, as paths in the project: `tests/slow/soak_test.ts`. */
export function findTests(): string[] {
  return ["tests", "tests/slow"].flatMap((folder) =>
    Array.from(Deno.readDirSync(new URL(folder, root)), ({ name }) => `${folder}/${name}`)
  ).filter((file) => file.endsWith("_test.ts")).sort();
}

/** Runs tests by a command, shows what the runner says, and returns it. */
export async function showTests(
  command: string,
  options: Deno.CommandOptions,
): Promise<{ text: string; success: boolean }> {
  const env = { NO_COLOR: "1", ...options.env };
  const runner = new Deno.Command(command, { ...options, env, stdout: "piped" }).spawn();
  let text = "";
  for await (const chunk of runner.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    await Deno.stdout.write(new TextEncoder().encode(chunk));
  }
  return { text, success: (await runner.status).success };
}
