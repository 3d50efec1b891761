// The servers and programs of Debian that some packages need.

import { existsSync } from "node:fs";
import { succeed } from "../portable.ts";
import { freePort, newFolder } from "../program.ts";
import type { Service } from "./subject.ts";

/** Starts those that are installed, and stops them when it is disposed of. */
export class Services implements AsyncDisposable {
  /** What programs are told of them. */
  readonly env: Record<string, string> = {};
  /** What there is to say about each that is not installed. */
  readonly missing: string[] = [];
  readonly #servers: Deno.ChildProcess[] = [];
  readonly #folders: string[] = [];
  readonly #here = new Set<Service>();

  static async start(wanted: Set<Service | undefined>): Promise<Services> {
    const services = new Services();
    if (wanted.has("redis")) await services.#redis();
    if (wanted.has("postgres")) await services.#postgres();
    if (wanted.has("chromium")) services.#chromium();
    return services;
  }

  has(service: Service): boolean {
    return this.#here.has(service);
  }

  async #redis(): Promise<void> {
    const path = find("redis-server", ["/usr/bin"]);
    if (path === undefined) return this.#skip("redis", "redis-server");
    const port = freePort();
    this.#servers.push(start(path, ["--port", port, "--save", "", "--dir", newFolder()]));
    await listening(port);
    this.env.PACKAGES_REDIS = `redis://127.0.0.1:${port}`;
    this.#here.add("redis");
  }

  async #postgres(): Promise<void> {
    const root = "/usr/lib/postgresql";
    const versions = existsSync(root) ? Array.from(Deno.readDirSync(root), ({ name }) => name) : [];
    const folders = versions.sort().reverse().map((version) => `${root}/${version}/bin`);
    const [initdb, postgres] = ["initdb", "postgres"].map((name) => find(name, folders));
    if (initdb === undefined || postgres === undefined) return this.#skip("postgres", "postgresql");
    // It refuses to run as root.
    const data = Deno.makeTempDirSync({ dir: "/tmp", prefix: "atexit-postgres-" });
    const isRoot = Deno.uid() === 0;
    if (isRoot) await succeed("chown", ["postgres", data], "/tmp");
    const [command, ...first] = isRoot ? ["runuser", "-u", "postgres", "--"] : ["env"];
    const trust = ["-A", "trust", "-U", "postgres", "-D", data];
    await succeed(command, [...first, initdb, ...trust], "/tmp");
    const port = freePort();
    const options = ["-p", port, "-h", "127.0.0.1", "-k", "", "-c", "fsync=off"];
    this.#servers.push(start(command, [...first, postgres, "-D", data, ...options]));
    await listening(port);
    this.#folders.push(data);
    this.env.PACKAGES_POSTGRES = `postgres://postgres@127.0.0.1:${port}/postgres`;
    this.#here.add("postgres");
  }

  #chromium(): void {
    const path = find("chromium", ["/usr/bin"]);
    if (path === undefined) return this.#skip("chromium", "chromium");
    this.env.PACKAGES_CHROMIUM = path;
    this.#here.add("chromium");
  }

  #skip(service: Service, name: string): void {
    this.missing.push(`no ${service}: apt-get install ${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.kill("SIGTERM");
      await server.status;
    }
    for (const folder of this.#folders) await Deno.remove(folder, { recursive: true });
  }
}

function find(name: string, folders: string[]): string | undefined {
  return folders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
}

function start(command: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command(command, { args, cwd: "/tmp", stdout: "null", stderr: "null" }).spawn();
}

/** Waits until something accepts connections. */
async function listening(port: string): Promise<void> {
  for (let attempts = 100;; attempts--) {
    try {
      (await Deno.connect({ port: Number(port), hostname: "127.0.0.1" })).close();
      return;
    } catch (error) {
      if (attempts === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
