/** A response's body, read into buffers that are used again: a browser's memory for new ones costs more than their bytes. */
export interface Body {
  /**
   * Reads until the buffer is full up to `room` bytes, or only what comes first where `whole` is false; less at the body's end. Calls
   * `alive` for each piece. Takes the buffer away.
   */
  fill(buffer: ArrayBuffer, room: number, whole: boolean, alive: () => void): Promise<Uint8Array<ArrayBuffer>>;
  /** Whether nothing is left. */
  isAtEnd(): Promise<boolean>;
}

/** The body of a response. Where a browser cannot read into a given buffer, its own buffers are copied. */
export function bodyOf(response: Response): Body {
  const { body } = response;
  if (body === null) return empty;
  try {
    return intoBuffers(body.getReader({ mode: "byob" }));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return copied(body.getReader());
  }
}

const empty: Body = {
  fill: (buffer) => Promise.resolve(new Uint8Array(buffer, 0, 0)),
  isAtEnd: () => Promise.resolve(true),
};

function intoBuffers(reader: ReadableStreamBYOBReader): Body {
  return {
    async fill(buffer, room, whole, alive) {
      let memory = buffer;
      let filled = 0;
      while (filled < room) {
        const { done, value } = await reader.read(new Uint8Array(memory, filled, room - filled));
        if (value === undefined) return new Uint8Array(new ArrayBuffer(0));
        memory = value.buffer;
        if (done) break;
        alive();
        filled += value.byteLength;
        if (!whole) break;
      }
      return new Uint8Array(memory, 0, filled);
    },
    async isAtEnd() {
      const { done } = await reader.read(new Uint8Array(1));
      return done;
    },
  };
}

function copied(reader: ReadableStreamDefaultReader<Uint8Array>): Body {
  /** What came and did not fit. */
  let rest = new Uint8Array(0);
  const refill = async (): Promise<boolean> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return false;
      if (value.byteLength === 0) continue;
      rest = value as Uint8Array<ArrayBuffer>;
      return true;
    }
  };
  return {
    async fill(buffer, room, whole, alive) {
      const target = new Uint8Array(buffer, 0, room);
      let filled = 0;
      while (filled < room && (rest.byteLength > 0 || (await refill()))) {
        alive();
        const part = rest.subarray(0, room - filled);
        target.set(part, filled);
        filled += part.byteLength;
        rest = rest.subarray(part.byteLength);
        if (!whole) break;
      }
      return target.subarray(0, filled);
    },
    isAtEnd: async () => rest.byteLength === 0 && !(await refill()),
  };
}
