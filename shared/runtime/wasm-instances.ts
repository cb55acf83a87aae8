import { KindlingError } from "../errors.ts";

/**
 * The WebAssembly side of one worker. A module is compiled once, whatever tasks share it; an instance lives for one stage,
 * and only the last stage's is kept, so that the memory of finished stages can be collected.
 */
export class WasmInstances {
  /** By the array that holds the code: tasks of one bundle name the same one. */
  readonly #modules = new WeakMap<Uint8Array, Promise<WebAssembly.Module>>();
  #current: { readonly stage: string; readonly exports: WebAssembly.Exports } | undefined;
  readonly #dropped: (bytes: number) => void;

  /** `dropped` hears how much memory of an instance waits for a collection. */
  constructor(dropped: (bytes: number) => void = () => {}) {
    this.#dropped = dropped;
  }

  /** The instance of this stage, made when there is none. `key` names bundle and task. */
  async ofStage(stage: string, key: string, code: Uint8Array): Promise<WebAssembly.Exports> {
    const id = `${stage} ${key}`;
    if (this.#current?.stage !== id) {
      this.discard();
      this.#current = { stage: id, exports: await this.#fresh(code) };
    }
    return this.#current.exports;
  }

  /** Whether the last stage's instance says that it found no memory. */
  get lacksMemory(): boolean {
    const flag = this.#current?.exports["lacksMemory"];
    return flag instanceof WebAssembly.Global && flag.value !== 0;
  }

  /** The module of this code, compiled when it is not yet. */
  compile(code: Uint8Array): Promise<WebAssembly.Module> {
    let module = this.#modules.get(code);
    if (module === undefined) {
      module = WebAssembly.compile(code as Uint8Array<ArrayBuffer>);
      this.#modules.set(code, module);
      module.catch(() => this.#modules.delete(code));
    }
    return module;
  }

  async #fresh(code: Uint8Array): Promise<WebAssembly.Exports> {
    const made: { exports?: WebAssembly.Exports } = {};
    const abort = (message: number, _file: number, line: number, column: number): never => {
      const text = assemblyScriptString(made.exports, message);
      throw new KindlingError("TaskCrashed", `abort at ${line}:${column}${text === "" ? "" : `: ${text}`}`, {
        retryable: true,
      });
    };
    const instance = await WebAssembly.instantiate(await this.compile(code), { env: { abort } });
    made.exports = instance.exports;
    return instance.exports;
  }

  /** Forgets the last stage's instance; after a trap its memory may be in any state. */
  discard(): void {
    // Not a variable of this function: what its frame still names would outlive the collection that `dropped` may call for.
    const bytes = this.#memoryBytes();
    this.#current = undefined;
    if (bytes > 0) this.#dropped(bytes);
  }

  #memoryBytes(): number {
    const memory = this.#current?.exports["memory"];
    return memory instanceof WebAssembly.Memory ? memory.buffer.byteLength : 0;
  }
}

/** AssemblyScript strings are UTF-16 with their byte length in the four bytes before them. */
function assemblyScriptString(exports: WebAssembly.Exports | undefined, pointer: number): string {
  const memory = exports?.["memory"];
  if (!(memory instanceof WebAssembly.Memory) || pointer < 4 || pointer > memory.buffer.byteLength) return "";
  const view = new DataView(memory.buffer);
  const end = Math.min(pointer + view.getUint32(pointer - 4, true), pointer + 400, memory.buffer.byteLength - 1);
  let text = "";
  for (let at = pointer; at < end; at += 2) text += String.fromCharCode(view.getUint16(at, true));
  return text;
}
