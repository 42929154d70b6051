import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Another update server, which offers one version or fails. */
export class Upstream {
  /** Offered to all that ask for an older one; null answers 503. */
  version: string | null = null;

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        if (this.version === null) {
          response.writeHead(503).end();
          return;
        }
        const [, app = ''] = /<app [^>]*appid="([^"]*)"/.exec(body) ?? [];
        const [, has = ''] = /<app [^>]* version="([^"]*)"/.exec(body) ?? [];
        const check = has === this.version ? '<updatecheck status="noupdate"/>' : offer(this.version);
        response.writeHead(200, { 'Content-Type': 'text/xml' });
        response.end(`<response protocol="3.0"><app appid="${app}" status="ok">${check}</app></response>`);
      });
    });
  }

  static async start(): Promise<Upstream> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Upstream(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1/update/`;
  }

  async stop() {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

const offer = (version: string) => `<updatecheck status="ok">
  <urls><url codebase="https://files.example.com/${version}/"/></urls>
  <manifest version="${version}"><packages>
    <package name="agent.tar.gz" size="4096" hash="qZk+NkcGgWq6PiVxeFDCbJzQ2J0=" required="true"/>
  </packages></manifest></updatecheck>`;
