// A page in headless Chromium, with the module bundled into its script: it says what happens to it by
// beacons, which arrive after the page is gone.

import { assertEquals } from "@std/assert";
import { newFolder, succeed } from "../portable.ts";
import { isInstalled, withAddress } from "../program.ts";
import { skipIf } from "../skip.ts";

const names = ["chromium", "chromium-browser", "google-chrome"];
const installed = await Promise.all(names.map((name) => isInstalled(name)));
const chromium = names[installed.indexOf(true)];
const ignore = skipIf(chromium === undefined, `none of ${names.join(", ")} is installed`);

const head = `
  import { exit, exitOnSignals, exitReason, register, registerAsync } from "@atexit/atexit";
  const say = (...words: unknown[]) => void navigator.sendBeacon("/said", words.join(" "));
  const leave = () => setTimeout(() => location.assign("/next"));
`;

Deno.test({
  name: "in a page of Chromium handlers run at pagehide, last registered first",
  ignore,
  async fn() {
    const said = await visit(`${head}
      exitOnSignals();
      register(() => say("first", exitReason()?.kind));
      registerAsync(async () => { say("second"); await undefined; });
      register(() => { throw new Error("bad"); });
      addEventListener("error", (event) => say("error", event.error.message));
      say("started", exitReason());
      leave();`);
    assertEquals(said, ["started ", "second", "first unload", "error bad", "next page"]);
  },
});

Deno.test({
  name: "in a page of Chromium exit() throws, runs the handlers, and the page stays",
  ignore,
  async fn() {
    const said = await visit(`${head}
      register(() => { say("handler", exitReason()?.kind); setTimeout(leave); });
      addEventListener("error", (event) => say("error", event.error.code));
      say("started");
      exit(3);
      say("never");`);
    assertEquals(said, ["started", "error 3", "handler exit", "next page"]);
  },
});

/** Opens a page with this script. Returns what it has said when the next page has been loaded. */
async function visit(script: string): Promise<string[]> {
  const folder = newFolder();
  await Deno.writeTextFile(`${folder}/page.ts`, withAddress(script));
  const args = ["bundle", "--quiet", "--platform=browser", "--output=page.js", "page.ts"];
  await succeed(Deno.execPath(), args, folder);
  const page = await Deno.readTextFile(`${folder}/page.js`);
  const said: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  await using server = Deno.serve({ port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/said") said.push(await request.text());
    if (said.includes("next page")) resolve();
    const source = { "/": page, "/next": `navigator.sendBeacon("/said", "next page");` }[pathname];
    return new Response(`<!doctype html><script type="module">${source}</script>`, {
      headers: { "content-type": "text/html" },
    });
  });
  const browser = new Deno.Command(chromium, {
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"],
      ...[`--user-data-dir=${folder}/profile`, `http://127.0.0.1:${server.addr.port}/`],
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  browser.status.then(({ code }) => reject(new Error(`Chromium has ended with ${code}: ${said}`)));
  try {
    await promise;
  } finally {
    browser.kill();
    await browser.status;
  }
  return said;
}
