/**
 * The module that workerd starts: classes whose parents only the runtime has. It is a text, because
 * its imports exist only there.
 */
export const ENTRY = `
import "shim";
import app, { siteFetch } from "app";
import { WorkerEntrypoint } from "cloudflare:workers";

export default app;

/** A Worker's class, whose context is \`this.ctx\`. */
export class Site extends WorkerEntrypoint {
  fetch(request) {
    return siteFetch.call(this, request);
  }
}

/** A service with a method. */
export class Rpc extends WorkerEntrypoint {
  add(a, b) {
    return a + b;
  }
  fetch() {
    return new Response("from the service");
  }
}
`;
