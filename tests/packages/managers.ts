// Managers that start the program as a child, and get the signal in its place.

import { noProcessLeft, type Subject } from "./subject.ts";

const manager = (name: string, script: string, rest: Partial<Subject> = {}): Subject => ({
  packages: [name],
  releases: "the program's handler is awaited",
  own: noProcessLeft,
  at: ["SIGINT", "SIGTERM"],
  script,
  program: `atEnd(async () => { await sleep(200); return true; });`,
  ...rest,
});

/** Where npm has put the commands of the packages. */
const bin = "../node_modules/.bin";
/** A package with a script that starts the program. */
const writesPackage =
  `printf '{"name":"app","version":"1.0.0","packageManager":"npm@11.0.0","scripts":{"start":"%s"}}' "$*" >package.json; `;

export const managers: Subject[] = [
  manager("concurrently@10.0.7", `exec ${bin}/concurrently --raw "$*"`),
  manager("nodemon@3.1.14", `exec ${bin}/nodemon --quiet --no-stdin --exec "$*"`),
  manager(
    "pm2@7.0.4",
    `export PM2_HOME="$PACKAGES_FOLDER/pm2"; printf '#!/bin/sh\\nexec %s\\n' "$*" >start.sh; ` +
      `exec ${bin}/pm2-runtime start --raw --interpreter sh start.sh`,
  ),
  manager(
    "turbo@2.11.11",
    `${writesPackage} echo '{"tasks":{"start":{"cache":false}}}' >turbo.json; ` +
      `TURBO_TELEMETRY_DISABLED=1 exec ${bin}/turbo run start --ui=stream --env-mode=loose`,
  ),
  manager("tsx@4.23.15", `shift; exec ${bin}/tsx "$@"`, {
    not: { deno: "it starts Node.js", bun: "it starts Node.js" },
  }),
  manager("npm run", `${writesPackage} exec npm run --silent start`),
  manager("deno task", `exec deno task --quiet --eval "$*"`),
];
