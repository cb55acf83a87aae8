/** An error with a fate: `code` is stable for programs, `retryable` says whether another node may succeed. */
export class KindlingError extends Error {
  override readonly name = "KindlingError";
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** The caller's data is wrong: another node would find the same. The message names file, row and column. */
export class InputError extends KindlingError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super("BadInput", message, options);
  }
}

/** How an error crosses the wire. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** Any thrown thing as a WireError. What is no KindlingError is taken as a fault of the code: it may pass elsewhere. */
export function toWireError(error: unknown): WireError {
  if (isWireErrorLike(error)) {
    return { code: error.code, message: error.message, retryable: error.retryable };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: "TaskCrashed", message, retryable: true };
}

export const fromWireError = (error: WireError): KindlingError =>
  new KindlingError(error.code, error.message, { retryable: error.retryable });

/** By shape, not by class: a workload bundle carries its own copy of KindlingError. */
function isWireErrorLike(error: unknown): error is WireError {
  if (typeof error !== "object" || error === null) return false;
  const { code, message, retryable } = error as Record<string, unknown>;
  return typeof code === "string" && typeof message === "string" && typeof retryable === "boolean";
}
