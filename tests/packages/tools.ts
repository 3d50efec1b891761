// Build tools that watch, parsers of arguments, and what asks or draws in a terminal.

import { saves, type Subject, terminalRestored } from "./subject.ts";

export const tools: Subject[] = [
  {
    packages: ["vite@8.4.0"],
    releases: "the server is closed",
    program: `
      import { createServer } from "vite";
      import { writeFileSync } from "node:fs";
      writeFileSync("index.html", "<h1>hello</h1>");
      const server = await createServer({ root: process.cwd(), configFile: false, logLevel: "silent", server: { port: 0, host: "127.0.0.1" } });
      await server.listen();
      port = server.httpServer.address().port;
      atEnd(async () => { await server.close(); return !server.httpServer.listening; });`,
  },
  {
    packages: ["rollup@4.68.8"],
    releases: "the watcher is closed",
    program: `
      import { watch } from "rollup";
      import { writeFileSync } from "node:fs";
      writeFileSync("app.js", "console.log(1);");
      const watcher = watch({ input: "app.js", output: { file: "out.js" } });
      await new Promise((resolve) => watcher.on("event", ({ code }) => code === "END" && resolve()));
      let isClosed = false;
      watcher.on("close", () => isClosed = true);
      atEnd(async () => { await watcher.close(); return isClosed; });`,
  },
  {
    packages: ["chokidar@6.0.0"],
    releases: "the watcher is closed",
    program: `
      import { watch } from "chokidar";
      const watcher = watch(".");
      await once(watcher, "ready");
      atEnd(async () => { await watcher.close(); return watcher.closed; });`,
  },
  {
    packages: ["commander@15.1.0"],
    releases: "a file is saved",
    program: `
      import { Command } from "commander";
      ${saves}
      const program = new Command("tool").option("--name <name>").action(() => atEnd(save));
      program.configureOutput({ writeErr() {} });
      await program.parseAsync(["--name", "x"], { from: "user" });
      leave = () => program.error("wrong", { exitCode: 3 });`,
  },
  {
    packages: ["yargs@18.2.0"],
    releases: "a file is saved",
    program: `
      import yargs from "yargs";
      ${saves}
      const parser = yargs(["run"]).command("run", "runs", {}, () => atEnd(save));
      await parser.parseAsync();
      leave = () => parser.exit(3, new Error("wrong"));`,
  },
  {
    packages: ["@inquirer/prompts@8.8.0"],
    releases: "a file is saved",
    own: terminalRestored,
    terminal: true,
    program: `
      import { input } from "@inquirer/prompts";
      ${saves}
      const answer = input({ message: "Name?" });
      atEnd(save);`,
  },
  {
    packages: ["@clack/prompts@1.9.0"],
    releases: "a file is saved",
    own: terminalRestored,
    terminal: true,
    program: `
      import { spinner, text } from "@clack/prompts";
      ${saves}
      const busy = spinner();
      busy.start("Working");
      await sleep();
      busy.stop("Done");
      const answer = text({ message: "Name?" });
      atEnd(save);`,
  },
  {
    packages: ["enquirer@2.4.1"],
    releases: "a file is saved",
    own: terminalRestored,
    terminal: true,
    program: `
      import enquirer from "enquirer";
      ${saves}
      const answer = enquirer.prompt({ type: "input", name: "name", message: "Name?" });
      atEnd(save);`,
  },
  {
    packages: ["prompts@2.4.2"],
    releases: "a file is saved",
    own: terminalRestored,
    terminal: true,
    program: `
      import prompts from "prompts";
      ${saves}
      const answer = prompts({ type: "text", name: "name", message: "Name?" });
      atEnd(save);`,
  },
  {
    packages: ["listr2@11.4.0"],
    releases: "a file is saved",
    own: terminalRestored,
    terminal: true,
    program: `
      import { Listr } from "listr2";
      ${saves}
      const list = new Listr([{ title: "Working", task: () => sleep(60_000) }]);
      list.run();
      atEnd(save);`,
  },
  {
    packages: ["ora@9.4.1"],
    releases: "a file is saved, the spinner has stopped",
    own: terminalRestored,
    terminal: true,
    program: `
      import ora from "ora";
      ${saves}
      const spinner = ora("Working").start();
      atEnd(async () => { const isSaved = await save(); spinner.succeed(); return isSaved && !spinner.isSpinning; });`,
  },
  {
    packages: ["ink@8.0.0", "react@19.3.1"],
    releases: "the application is unmounted",
    own: terminalRestored,
    terminal: true,
    program: `
      import { render, Text, useInput } from "ink";
      import { createElement } from "react";
      const App = () => { useInput(() => {}); return createElement(Text, null, "Working"); };
      const app = render(createElement(App));
      atEnd(async () => { app.unmount(); await app.waitUntilExit(); return true; });`,
  },
];
