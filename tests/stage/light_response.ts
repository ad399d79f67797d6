/** Answers as Hono's server for Node lets handlers make them: `Headers` are made when they are asked for. */

type Given = [status: number, body: string | null, fields: HeadersInit | undefined];

const given = Symbol("given");
const real = Symbol("real");

/** How often `Headers` were made of a light response. */
export interface Made {
  headers: number;
}

/** Makes the class that stands in for the global one. */
function lightClass(made: Made): typeof Response {
  const Real = globalThis.Response;
  class Light {
    [given]?: Given;
    [real]?: Response;
    readonly #init: ResponseInit | undefined;
    readonly #body: BodyInit | null;

    constructor(body: BodyInit | null = null, init?: ResponseInit) {
      this.#body = body;
      // Workers take no fields from an object that only inherits from a response.
      this.#init = init instanceof Real ? { status: init.status, headers: init.headers } : init;
      const isText = body === null || typeof body === "string";
      if (isText && !(init instanceof Real)) {
        this[given] = [init?.status ?? 200, body, init?.headers];
      }
    }

    real(): Response {
      const live = this[given]?.[2];
      const init = live instanceof Headers ? { ...this.#init, headers: live } : this.#init;
      delete this[given];
      return this[real] ??= new Real(this.#body, init);
    }

    get headers(): Headers {
      const cache = this[given];
      if (cache === undefined) return this.real().headers;
      if (cache[2] instanceof Headers) return cache[2];
      made.headers++;
      return cache[2] = new Headers(cache[2]);
    }

    get status(): number {
      return this[given]?.[0] ?? this.real().status;
    }
  }
  for (const name of ["body", "bodyUsed", "redirected", "statusText", "type", "url"] as const) {
    Object.defineProperty(Light.prototype, name, {
      get(this: Light) {
        return this.real()[name];
      },
    });
  }
  for (const name of ["arrayBuffer", "clone", "json", "text"] as const) {
    Object.defineProperty(Light.prototype, name, {
      value(this: Light) {
        return this.real()[name]();
      },
    });
  }
  Object.setPrototypeOf(Light, Real);
  Object.setPrototypeOf(Light.prototype, Real.prototype);
  return Light as unknown as typeof Response;
}

/** Runs with light responses in place of the global ones. */
export async function withLightResponses(act: (made: Made) => void | Promise<void>): Promise<void> {
  const { Response } = globalThis;
  const made = { headers: 0 };
  globalThis.Response = lightClass(made);
  try {
    await act(made);
  } finally {
    globalThis.Response = Response;
  }
}
