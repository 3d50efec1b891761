// Loggers and telemetry: what has been written arrives.

import { read, type Subject } from "./subject.ts";

const lines = "the last line is in the file";
const spans = "the last span has arrived";

export const logs: Subject[] = [
  {
    packages: ["pino@10.4.0"],
    releases: lines,
    isReleased: (ended) => read(ended, "log").includes('"last"'),
    own: {
      what: "its transport: 1000 lines are in the file",
      isKept: (ended) => read(ended, "log").includes('"line 1000"'),
    },
    program: `
      import pino from "pino";
      const transport = pino.transport({ target: "pino/file", options: { destination: "log" } });
      await once(transport, "ready");
      const log = pino(transport);
      for (let i = 1; i <= 1000; i++) log.info("line " + i);
      atEnd(async () => {
        log.info("last");
        transport.end();
        await once(transport, "close");
        return true;
      });`,
  },
  {
    packages: ["winston@3.19.0"],
    releases: lines,
    isReleased: (ended) => read(ended, "log").includes('"last"'),
    program: `
      import winston from "winston";
      const file = new winston.transports.File({ filename: "log" });
      const log = winston.createLogger({ transports: [file] });
      for (let i = 1; i <= 1000; i++) log.info("line " + i);
      atEnd(async () => {
        log.info("last");
        const finished = once(file, "finish");
        log.end();
        await finished;
        return true;
      });`,
  },
  {
    packages: ["@logtape/logtape@2.4.2", "@logtape/file@2.3.10"],
    releases: lines,
    isReleased: (ended) => read(ended, "log").includes("last"),
    own: {
      what: "its buffered sink: what was logged is in the file",
      isKept: (ended) => read(ended, "log").includes("first"),
    },
    program: `
      import { configure, dispose, getLogger } from "@logtape/logtape";
      import { getFileSink } from "@logtape/file";
      await configure({
        sinks: { file: getFileSink("log", { bufferSize: 8192, flushInterval: 60_000 }) },
        loggers: [
          { category: "app", sinks: ["file"] },
          { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["file"] },
        ],
      });
      getLogger("app").info("first");
      atEnd(async () => { getLogger("app").info("last"); await dispose(); return true; });`,
  },
  {
    packages: [
      "@opentelemetry/sdk-trace-node@2.12.1",
      "@opentelemetry/exporter-trace-otlp-http@0.301.0",
      "@opentelemetry/api@1.10.0",
    ],
    releases: spans,
    isReleased: ({ received }) => received.includes('"last"'),
    program: `
      import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
      import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
      const exporter = new OTLPTraceExporter({ url: process.env.PACKAGES_RECEIVER + "/v1/traces" });
      const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
      provider.register();
      const tracer = provider.getTracer("app");
      tracer.startSpan("first").end();
      atEnd(async () => { tracer.startSpan("last").end(); await provider.shutdown(); return true; });`,
  },
  {
    packages: ["@sentry/node@11.12.0"],
    releases: "the last message has arrived",
    isReleased: ({ received }) => received.includes('"last"'),
    own: {
      what: "an uncaught error has arrived",
      isKept: ({ received }) => received.includes('"boom"'),
      at: ["throw"],
    },
    program: `
      import * as Sentry from "@sentry/node";
      const { host } = new URL(process.env.PACKAGES_RECEIVER);
      const path = process.env.PACKAGES_RECEIVER.split("/").at(-1);
      Sentry.init({
        dsn: "http://key@" + host + "/" + path + "/1",
        transportOptions: {},
      });
      atEnd(async () => {
        Sentry.captureMessage("last");
        return await Sentry.close(5000);
      });`,
  },
];
