import type { Remote } from "comlink";
import { systemClock } from "../../shared/clock.ts";
import type { ByteStream } from "../node/byte-stream.ts";
import { type Connection, orAborted, readSteadily, type SourcePart } from "../node/connection.ts";
import type { DataPlane } from "../node/data-plane.ts";
import type { ComputeHost } from "./compute-protocol.ts";

type Reading = Pick<DataPlane, "read">;

/** Sources as a thread fetches them itself: each piece that its node sent it would cost another switch between threads, and memory. */
export class OwnFetches {
  readonly #host: Remote<ComputeHost>;
  readonly #planeOf: (secret: string) => Reading;
  readonly #connection: Connection<Reading>;
  #known: { readonly secret: string; readonly plane: Reading } | undefined;
  /** What is known holds: the node is asked again only after a failure. */
  #isFresh = false;

  constructor(host: Remote<ComputeHost>, planeOf: (secret: string) => Reading) {
    this.#host = host;
    this.#planeOf = planeOf;
    this.#connection = {
      clock: systemClock,
      plane: async (signal) => (this.#isFresh ? this.#known?.plane : undefined) ?? orAborted(this.#plane(), signal),
      isJoined: () => {
        this.#isFresh = false;
        return host.isJoined();
      },
    };
  }

  read(part: SourcePart, signal: AbortSignal): ByteStream {
    let received = 0;
    const stream = readSteadily(this.#connection, part, signal, (bytes) => {
      received += bytes;
    });
    return {
      next: (buffer) => stream.next(buffer),
      close: () => {
        stream.close();
        void this.#host.received(received);
      },
    };
  }

  async #plane(): Promise<Reading> {
    const secret = await this.#host.secret();
    if (this.#known?.secret !== secret) this.#known = { secret, plane: this.#planeOf(secret) };
    this.#isFresh = true;
    return this.#known.plane;
  }
}
