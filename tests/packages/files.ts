// Packages that remove or complete files at the end.

import { files as names, read, type Subject } from "./subject.ts";

export const files: Subject[] = [
  {
    packages: ["tmp@0.2.7"],
    releases: "the file is removed",
    own: {
      what: "`setGracefulCleanup()`: a folder is removed",
      isKept: (ended) => !names(ended).includes("folder"),
    },
    program: `
      import tmp from "tmp";
      tmp.setGracefulCleanup();
      const file = tmp.fileSync({ tmpdir: process.cwd(), name: "file" });
      tmp.dirSync({ tmpdir: process.cwd(), name: "folder" });
      atEnd(async () => { file.removeCallback(); return !existsSync("file"); });`,
  },
  {
    packages: ["proper-lockfile@4.1.2"],
    releases: "the lock is released",
    own: {
      what: "another lock is removed",
      isKept: (ended) => !names(ended).includes("other.lock"),
    },
    program: `
      import lockfile from "proper-lockfile";
      import { writeFileSync } from "node:fs";
      writeFileSync("data", "");
      writeFileSync("other", "");
      const release = await lockfile.lock("data");
      await lockfile.lock("other");
      atEnd(async () => { await release(); return !existsSync("data.lock"); });`,
  },
  {
    packages: ["write-file-atomic@8.0.0"],
    releases: "the file is written completely",
    isReleased: (ended) => read(ended, "file").length === 30_000_000,
    own: {
      what: "temporary files are removed",
      isKept: (ended) => names(ended).every((name) => !/^file\./.test(name)),
    },
    program: `
      import writeFile from "write-file-atomic";
      atEnd(async () => { await writeFile("file", "x".repeat(30_000_000)); return existsSync("file"); });`,
  },
  {
    packages: ["tempy@3.2.0"],
    releases: "the folder is removed, when its task is done",
    program: `
      import { temporaryDirectoryTask } from "tempy";
      let stop, folder;
      const task = temporaryDirectoryTask((path) => {
        folder = path;
        return new Promise((resolve) => stop = resolve);
      });
      await sleep();
      atEnd(async () => { stop(); await task; return folder !== undefined && !existsSync(folder); });`,
  },
  {
    packages: ["signal-exit@4.1.0"],
    releases: "a file is removed",
    own: {
      what: "its listener is called",
      isKept: ({ stdout }) => stdout.includes("[onExit]"),
    },
    program: `
      import { rm, writeFile } from "node:fs/promises";
      import { onExit } from "signal-exit";
      await writeFile("file", "");
      onExit(() => console.log("[onExit]"));
      atEnd(async () => { await rm("file"); return !existsSync("file"); });`,
  },
  {
    packages: ["exit-hook@5.1.0"],
    releases: "a file is removed",
    own: {
      what: "its hook is called",
      isKept: ({ stdout }) => stdout.includes("[hook]"),
    },
    program: `
      import exitHook from "exit-hook";
      import { rm, writeFile } from "node:fs/promises";
      await writeFile("file", "");
      exitHook(() => console.log("[hook]"));
      atEnd(async () => { await rm("file"); return !existsSync("file"); });`,
  },
];
