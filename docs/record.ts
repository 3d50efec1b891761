// Records docs/session.svg: runs the first program of the README in a terminal, presses Ctrl-C, and
// draws what the terminal shows.
//
//   deno task record
//
// It needs bash, and `script` of util-linux, which creates the terminal.

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
const [, program] = readme.match(/^```ts.*\n([^]*?)^```$/m)!;
const style = `
text { font: 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d6deeb }
.command, .bold { font-weight: bold }
.italic { font-style: italic }
.red { fill: #ff6b6b }
.cyan { fill: #7fdbca }
.yellow { fill: #ecc48d }
.gray { fill: #8796b0 }
`;
/** The classes of the colors that Deno uses, by their codes. All others are shades of gray. */
const names: Record<string, string> = {
  "1": "bold",
  "3": "italic",
  "31": "red",
  "33": "yellow",
  "36": "cyan",
};
const commands = ["cat app.ts", "deno run -RW app.ts", "echo $?", "ls"];

const folder = "/tmp/session/app";
const link = "/tmp/atexit";
await Deno.mkdir(folder, { recursive: true });
let output: string;
try {
  await Deno.writeTextFile(`${folder}/app.ts`, program);
  await Deno.symlink(new URL("..", import.meta.url), link);
  const imports = { "@atexit/atexit": `${link}/mod.ts` };
  await Deno.writeTextFile(`${folder}/../deno.json`, JSON.stringify({ imports }));
  output = await record(commands);
} finally {
  await Deno.remove(`${folder}/..`, { recursive: true });
  await Deno.remove(link);
}
await Deno.writeTextFile(new URL("session.svg", import.meta.url), draw(output));

/** Runs the commands in one shell, in a terminal, and returns all that it shows. */
async function record(commands: string[]): Promise<string> {
  // `$?` is what the command before has left, and not what printf has.
  const lines = commands.map((command) =>
    `printf '%s\\n' '$ ${command}'; (exit $status); ${command}; status=$?`
  );
  const child = new Deno.Command("script", {
    args: ["-qec", `bash -c "$SESSION"`, "/dev/null"],
    env: { SESSION: lines.join("\n"), TERM: "xterm" },
    cwd: folder,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const keyboard = child.stdin.getWriter();
  let shown = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    shown += text;
    // The program is waiting.
    if (text.endsWith("Working\r\n")) await keyboard.write(new TextEncoder().encode("\x03"));
  }
  await keyboard.close();
  return shown.replaceAll("\r\n", "\n");
}

/** Draws the text of a terminal, with the colors that it asks for. */
function draw(text: string): string {
  const lines = text.trimEnd().split("\n");
  const lineHeight = 20;
  // deno-lint-ignore no-control-regex
  const columns = Math.max(...lines.map((line) => line.replace(/\x1b\[[\d;]*m/g, "").length));
  const width = Math.ceil(columns * 8.43) + 40;
  const height = lines.length * lineHeight + 36;
  const drawn = lines.map((line, i) => {
    const y = 32 + i * lineHeight;
    return `<text x="20" y="${y}" xml:space="preserve">${drawLine(line)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    "<title>A terminal session, recorded by docs/record.ts</title>",
    `<style>${style}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1b2a"/>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function drawLine(line: string): string {
  if (line.startsWith("$ ")) {
    return `<tspan class="gray">$ </tspan><tspan class="command">${escape(line.slice(2))}</tspan>`;
  }
  let classes: string[] = [];
  let drawn = "";
  // deno-lint-ignore no-control-regex
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    // deno-lint-ignore no-control-regex
    const code = part.match(/^\x1b\[([\d;]*)m$/)?.[1];
    if (code === undefined) {
      const text = escape(part);
      if (text === "") continue;
      drawn += classes.length === 0 ? text : `<tspan class="${classes.join(" ")}">${text}</tspan>`;
    } else if (code === "0" || code === "") classes = [];
    else classes.push(names[code] ?? "gray");
  }
  return drawn;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
