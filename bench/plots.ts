// Draws figures.json, which main.ts has written, as the plots of README.md: deno task plots

import * as vega from "npm:vega@6";
import { compile, type TopLevelSpec } from "npm:vega-lite@6";

const here = (name: string) => new URL(name, import.meta.url);
const figures = JSON.parse(await Deno.readTextFile(here("./figures.json")));

/** What it costs to do something with one handler, over their number. */
const operations: TopLevelSpec = {
  data: { values: figures.operations },
  facet: { column: { field: "name", title: null, sort: ["register", "run", "unregister"] } },
  spec: {
    width: 240,
    height: 240,
    mark: { type: "line", point: true },
    encoding: {
      x: { field: "count", type: "quantitative", scale: { type: "log" }, title: "handlers" },
      y: {
        field: "nanoseconds",
        type: "quantitative",
        scale: { type: "log" },
        title: "ns of CPU time for each",
      },
      color: { field: "subject", title: null },
    },
  },
};

/** The CPU time of a whole program, over that of an empty one. */
const startUp: TopLevelSpec = {
  data: { values: figures.startUp },
  facet: { row: { field: "runtime", title: null } },
  spec: {
    width: 480,
    mark: "bar",
    encoding: {
      x: { field: "ratio", type: "quantitative", title: "CPU time / empty script" },
      y: { field: "subject", title: null, sort: "x" },
      color: { field: "subject", legend: null },
    },
  },
  resolve: { scale: { y: "independent" } },
};

for (const [name, spec] of Object.entries({ operations, start_up: startUp })) {
  const whole = { background: "white", ...spec } as TopLevelSpec;
  const view = new vega.View(vega.parse(compile(whole).spec), { renderer: "none" });
  await Deno.writeTextFile(here(`./${name}.svg`), `${await view.toSVG()}\n`);
}
