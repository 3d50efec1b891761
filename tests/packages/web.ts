// Servers, each with a client whose connection stays open.

import { saves, type Subject } from "./subject.ts";

/** Closes a server of node:http, and sees that nobody can connect any more. */
const close = `
atEnd(async () => {
  await new Promise((resolve) => server.close(resolve));
  return !server.listening;
});
`;

const releases = "the server is closed";

export const web: Subject[] = [
  {
    packages: ["hono@4.13.19", "@hono/node-server@2.1.9"],
    releases,
    program: `
      import { serve } from "@hono/node-server";
      import { Hono } from "hono";
      const app = new Hono().get("/", (context) => context.text("hello"));
      const server = serve({ fetch: app.fetch, port: 0 });
      await once(server, "listening");
      port = server.address().port;
      ${close}`,
  },
  {
    packages: ["express@5.3.0"],
    releases,
    program: `
      import express from "express";
      const server = express().get("/", (_, response) => response.send("hello")).listen(0);
      await once(server, "listening");
      port = server.address().port;
      ${close}`,
  },
  {
    packages: ["fastify@5.12.8"],
    releases: "the server is closed, with its hooks",
    program: `
      import fastify from "fastify";
      const app = fastify();
      let isClosed = false;
      app.addHook("onClose", async () => { await sleep(); isClosed = true; });
      app.get("/", () => "hello");
      await app.listen({ port: 0, host: "127.0.0.1" });
      port = app.server.address().port;
      atEnd(async () => { await app.close(); return isClosed && !app.server.listening; });`,
  },
  {
    packages: ["koa@3.3.0"],
    releases,
    program: `
      import Koa from "koa";
      const app = new Koa();
      app.use((context) => { context.body = "hello"; });
      const server = app.listen(0);
      await once(server, "listening");
      port = server.address().port;
      ${close}`,
  },
  {
    packages: ["ws@8.23.0"],
    releases: "clients are told 1001, the server is closed",
    connect: (port) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`);
      return new Promise((resolve) => socket.onmessage = resolve);
    },
    program: `
      import { WebSocketServer } from "ws";
      const server = new WebSocketServer({ port: 0 });
      await once(server, "listening");
      port = server.address().port;
      server.on("connection", (socket) => socket.send("hello"));
      atEnd(async () => {
        const [client] = server.clients;
        client.close(1001);
        const [code] = await once(client, "close");
        await new Promise((resolve) => server.close(resolve));
        return code === 1001;
      });`,
  },
  {
    packages: ["socket.io@4.8.4", "socket.io-client@4.8.4"],
    releases: "clients are disconnected, the server is closed",
    connect: () => Promise.resolve(),
    program: `
      import { Server } from "socket.io";
      import { io } from "socket.io-client";
      import { createServer } from "node:http";
      const server = createServer().listen(0);
      const sockets = new Server(server);
      port = server.address().port;
      const client = io("http://127.0.0.1:" + port);
      await once(client, "connect");
      atEnd(async () => { await sockets.close(); await sleep(); return !client.connected && !server.listening; });`,
  },
  {
    packages: [
      "@nestjs/core@12.5.1",
      "@nestjs/common@12.5.1",
      "@nestjs/platform-express@12.5.1",
      "reflect-metadata@0.2.2",
      "rxjs@7.8.2",
    ],
    releases: "the application is closed",
    own: {
      what: "`enableShutdownHooks()`: hooks are awaited, by `app.close()`",
      isKept: ({ stdout }) => stdout.includes("[hook ends]"),
      at: ["SIGINT", "SIGTERM"],
    },
    program: `
      import "reflect-metadata";
      import { Module } from "@nestjs/common";
      import { NestFactory } from "@nestjs/core";
      class AppModule {
        async onApplicationShutdown() { await sleep(); console.log("[hook ends]"); }
      }
      Module({})(AppModule);
      const app = await NestFactory.create(AppModule, { logger: false });
      app.enableShutdownHooks(["SIGINT", "SIGTERM"]);
      await app.listen(0);
      port = app.getHttpServer().address().port;
      atEnd(async () => { await app.close(); return !app.getHttpServer().listening; });`,
  },
  {
    packages: ["@godaddy/terminus@4.12.1"],
    releases: "a file is saved",
    own: {
      what: "`onSignal`, `onShutdown` are awaited at SIGTERM",
      isKept: ({ stdout }) => stdout.includes("[onSignal]") && stdout.includes("[onShutdown]"),
      at: ["SIGTERM"],
    },
    program: `
      import { createTerminus } from "@godaddy/terminus";
      import { createServer } from "node:http";
      const server = createServer((_, response) => response.end("hello"));
      createTerminus(server, {
        onSignal: async () => { await sleep(); console.log("[onSignal]"); },
        onShutdown: async () => { await sleep(); console.log("[onShutdown]"); },
      });
      server.listen(0);
      await once(server, "listening");
      port = server.address().port;
      ${saves}
      atEnd(save);`,
  },
];
