import type { Server } from "node:http";
import type { Socket } from "node:net";
import { MillraceError } from "../core/index.ts";

export interface DoorAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** Starts to listen, or says in the operator's words why not. */
export async function listen(server: Server, door: string, at: { host: string; port: number }): Promise<DoorAddress> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: at.host, port: at.port, backlog: 1024 }, resolve);
  try {
    await promise;
  } catch (thrown) {
    throw listenError(thrown, door, at);
  } finally {
    server.off("error", reject);
  }
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : at.port;
  return { host: at.host, port, url: `http://${at.host.includes(":") ? `[${at.host}]` : at.host}:${port}` };
}

function listenError(thrown: unknown, door: string, { host, port }: { host: string; port: number }): unknown {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  const where = `${host}:${port}`;
  switch (code) {
    case "EADDRINUSE":
      return new MillraceError("port_in_use", `the ${door} cannot listen on ${where}: something else does already`, { cause: thrown });
    case "EACCES":
      return new MillraceError("bad_config", `the ${door} is not allowed to listen on ${where}`, {
        cause: thrown,
        cure: "Choose a port from 1024 up with --port.",
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new MillraceError("bad_config", `the ${door} cannot listen on ${where}: this machine does not have that address`, {
        cause: thrown,
        cure: "Name an address of this machine with --host.",
      });
    default:
      return thrown;
  }
}

/** Takes no new connection, ends idle ones, lets calls in flight end for a while, then ends them too. */
export async function closeServer(server: Server, sockets: Iterable<Socket>, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  // To node a connection that has not said anything yet is one whose request is on its way.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await promise;
  clearTimeout(timer);
}
