import { once } from "node:events";
import { createServer, type Server } from "node:http";
import send from "send";

/** Serves one file on 127.0.0.1, with ranges, and counts what is asked for. */
export class FileServer implements AsyncDisposable {
  readonly url: string;
  /** So many requests so far. */
  requests = 0;
  private readonly server: Server;

  private constructor(server: Server, path: string) {
    const address = server.address();
    this.url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
    this.server = server;
    server.on("request", (request, response) => {
      this.requests++;
      send(request, path, { dotfiles: "allow" }).pipe(response);
    });
  }

  static async start(path: string): Promise<FileServer> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new FileServer(server, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}
