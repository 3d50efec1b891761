// Draws figures.json, which main.ts writes, as the plots of README.md: deno task plots

import * as vega from "npm:vega@6";
import { compile, type TopLevelSpec } from "npm:vega-lite@6";

const here = (name: string) => new URL(name, import.meta.url);
const figures = JSON.parse(await Deno.readTextFile(here("./figures.json")));

const blue = "#4c78a8";
const gray = "#c7c7c7";

/** The interval of an estimate, as a line on its bar. */
const interval = {
  mark: { type: "rule", color: "black" },
  encoding: {
    x: { field: "low", type: "quantitative" },
    x2: { field: "high" },
    color: { value: "black" },
  },
} as const;

/** A program that was started, and its CPU time over that of an empty script. */
interface Start {
  readonly runtime: string;
  readonly program: string;
}

const starts: Start[] = [
  ...figures.startUp.map((figure: object) => ({ runtime: "Deno", ...figure })),
  ...figures.otherRuntimes,
];

const startUp = {
  vconcat: Object.entries(Object.groupBy(starts, ({ runtime }) => runtime))
    .map(([runtime, values]) => ({
      data: { values: values!.map((start) => ({ ...start, name: withoutMarks(start.program) })) },
      title: { text: runtime, anchor: "start", frame: "group" },
      width: 480,
      encoding: { y: { field: "name", type: "nominal", title: null, sort: null } },
      layer: [
        {
          mark: "bar",
          encoding: {
            x: { field: "median", type: "quantitative", title: "CPU time / empty script" },
            color: {
              condition: { test: "indexof(datum.name, 'atexit') === 0", value: blue },
              value: gray,
            },
          },
        },
        interval,
      ],
    })),
  resolve: { scale: { x: "shared" } },
};

/** An end, and how many milliseconds more than by hand it takes. */
interface End {
  readonly end: string;
  readonly subject: string;
}

const ends = {
  data: {
    values: figures.ends.map((figure: End) => ({
      ...figure,
      name: withoutMarks(figure.end),
      subject: figure.subject === "before" ? "before the redesign" : figure.subject,
    })),
  },
  width: 480,
  height: { step: 14 },
  encoding: {
    y: { field: "name", type: "nominal", title: null, sort: null },
    yOffset: { field: "subject", sort: null },
    color: { field: "subject", type: "nominal", title: null, scale: { range: [blue, gray] } },
  },
  layer: [
    {
      mark: "bar",
      encoding: {
        x: { field: "median", type: "quantitative", title: "wall time: ms more than by hand" },
      },
    },
    interval,
  ],
};

const handlers = {
  data: { values: figures.handlers },
  facet: {
    field: "operation",
    title: null,
    sort: ["register", "run", "remove all", "remove a tenth"],
    header: { labelFontSize: 13, labelFontWeight: "bold" },
  },
  columns: 2,
  spec: {
    width: 300,
    height: 240,
    mark: { type: "line", point: true },
    encoding: {
      x: logarithmic("count", "number of handlers", {
        values: [1e2, 1e3, 1e4, 1e5, 1e6],
        format: "~s",
      }),
      y: logarithmic("cost", "CPU time for each handler, ns", {
        values: [1, 10, 100, 1000, 10_000],
        format: "d",
      }),
      color: { field: "subject", type: "nominal", title: null, sort: null },
    },
  },
  resolve: { axis: { x: "independent", y: "independent" } },
};

function logarithmic(field: string, title: string, axis: object): object {
  return { field, type: "quantitative", scale: { type: "log" }, title, axis };
}

/** A text as it is without Markdown. */
function withoutMarks(text: string): string {
  return text.replaceAll("`", "");
}

for (const [name, spec] of Object.entries({ start_up: startUp, ends, handlers })) {
  // Without a canvas, Vega takes texts for wider than they are.
  const config = { axis: { labelLimit: 500 }, legend: { labelFontSize: 12, labelLimit: 500 } };
  const { spec: plot } = compile({ background: "white", config, ...spec } as TopLevelSpec);
  const view = new vega.View(vega.parse(plot), { renderer: "none" });
  await Deno.writeTextFile(here(`./${name}.svg`), `${await view.toSVG()}\n`);
}
