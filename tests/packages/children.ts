// Packages that start processes or workers.

import { noProcessLeft, type Subject } from "./subject.ts";

const releases = "the child has ended";

const pool = (name: string, exported: string, rest: Partial<Subject> = {}): Subject => ({
  packages: [name],
  releases: "the running task is done, the workers have ended",
  program: `
    import { ${exported} } from "${name.slice(0, name.indexOf("@"))}";
    import { writeFileSync } from "node:fs";
    writeFileSync("worker.mjs", "export default () => new Promise((resolve) => setTimeout(resolve, 500, 'done'));");
    const pool = new ${exported}({ filename: process.cwd() + "/worker.mjs", minThreads: 1, maxThreads: 2 });
    const task = pool.run({});
    atEnd(async () => {
      const result = await task;
      await pool.destroy();
      return result === "done" && pool.threads.length === 0;
    });`,
  ...rest,
});

export const children: Subject[] = [
  {
    packages: ["execa@10.2.1"],
    releases,
    own: noProcessLeft,
    program: `
      import { execa } from "execa";
      const child = execa("sleep", ["100"], { reject: false });
      atEnd(async () => { child.kill(); return (await child).isTerminated; });`,
  },
  {
    packages: ["zx@8.8.5"],
    releases,
    program: `
      import { $ } from "zx";
      const child = $({ nothrow: true, quiet: true })\`sleep 100\`;
      child.run?.();
      atEnd(async () => { await child.kill(); return (await child).signal === "SIGTERM"; });`,
  },
  {
    packages: ["puppeteer-core@25.16.0"],
    needs: "chromium",
    releases: "the browser is closed",
    own: noProcessLeft,
    program: `
      import puppeteer from "puppeteer-core";
      const browser = await puppeteer.launch({
        executablePath: process.env.PACKAGES_CHROMIUM,
        args: ["--no-sandbox", "--disable-gpu"],
      });
      const page = await browser.newPage();
      await page.setContent("<h1>hello</h1>");
      atEnd(async () => { await browser.close(); return !browser.connected; });`,
  },
  {
    packages: ["esbuild@0.28.2"],
    releases: "the watching context is disposed of",
    own: noProcessLeft,
    program: `
      import * as esbuild from "esbuild";
      import { writeFileSync } from "node:fs";
      writeFileSync("app.js", "console.log(1);");
      const context = await esbuild.context({ absWorkingDir: process.cwd(), entryPoints: ["app.js"], outfile: "out.js", logLevel: "silent" });
      await context.watch();
      atEnd(async () => { await context.dispose(); await esbuild.stop(); return existsSync("out.js"); });`,
  },
  pool("piscina@5.3.2", "Piscina"),
  pool("tinypool@2.2.0", "Tinypool", { not: { deno: "tasks never settle" } }),
];
