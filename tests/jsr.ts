// A server that speaks JSR's protocol, and commands that use it.

import { fileURLToPath } from "node:url";
import { type Outcome, Program } from "./program.ts";

/** A package as it is published. */
export interface JsrPackage {
  /** `@scope/name` */
  name: string;
  version: string;
  exports: Record<string, string>;
  /** The contents of the files by their paths, which start with a slash. */
  files: Record<string, string>;
}

/** A JSR with a few packages, on a free port of this machine. */
export class JsrServer implements AsyncDisposable {
  /** The paths that were requested. */
  readonly requested = new Set<string>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(responses: Record<string, string>) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const { pathname } = new URL(request.url);
      this.requested.add(pathname);
      if (!Object.hasOwn(responses, pathname)) return new Response("Not found", { status: 404 });
      return new Response(responses[pathname], {
        headers: { "content-type": contentType(pathname) },
      });
    });
  }

  static async start(...packages: JsrPackage[]): Promise<JsrServer> {
    const responses = await Promise.all(packages.map(getResponses));
    return new JsrServer(Object.assign({}, ...responses));
  }

  /** What `JSR_URL` has to be. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** What the server responds about a package: its versions, the files of a version, each file. */
async function getResponses(
  { name, version, exports, files }: JsrPackage,
): Promise<Record<string, string>> {
  const [scope, shortName] = name.slice(1).split("/");
  const manifest: Record<string, { size: number; checksum: string }> = {};
  for (const [path, text] of Object.entries(files)) {
    const content = new TextEncoder().encode(text);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
    manifest[path] = { size: content.length, checksum: `sha256-${hash.toHex()}` };
  }
  const responses = {
    "/meta.json": { scope, name: shortName, latest: version, versions: { [version]: {} } },
    [`/${version}_meta.json`]: { manifest, exports },
  };
  return Object.fromEntries([
    ...Object.entries(responses).map(([path, value]) => [`/${name}${path}`, JSON.stringify(value)]),
    ...Object.entries(files).map(([path, text]) => [`/${name}/${version}${path}`, text]),
  ]);
}

function contentType(path: string): string {
  if (path.endsWith(".json")) return "application/json";
  return path.endsWith(".js") ? "text/javascript" : "text/typescript";
}

/** Runs `deno` by way of with_std.ts. `JSR_URL` says where JSR is. */
export async function withStd(args: string[], env: Record<string, string>): Promise<Outcome> {
  const command = ["run", "-A", "--no-config", "tests/with_std.ts", ...args];
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  return await new Program(command, { cwd, env }, Deno.execPath()).outcome();
}
