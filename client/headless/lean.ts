/** From here on a node has memory to spare, bytes. */
const ENOUGH = 2 ** 30;
/** Bytes from which glibc gives each buffer back as soon as it is free. Where nobody sets it, it grows to 32 MiB with what is freed. */
const MAPPED_FROM = 2 ** 18;
const MAPPED_FROM_NAME = "MALLOC_MMAP_THRESHOLD_";
/** An argument that names what was handed to this process open: starting over closes all but the standard streams. */
const OPEN_FILE = /^(--[^=]+=)?\/(dev|proc)\//;
/** What each half of a thread's young generation may take of the memory; of ENOUGH it is as much as V8 lets it have in any case. */
const SEMI_SPACE_PART = 1 / 64;

/**
 * Starts this process over where it has little memory to use, with the same id and arguments, as one that gives back what it frees: of
 * large buffers that come and go glibc would keep hundreds of megabytes, and V8 the pages that its young generations once had. Both
 * take no orders later. Does nothing where that is done already, where the user has set the allocator or an argument names an open file, and on other systems.
 */
export function restartLean(memoryBytes: number): void {
  if (memoryBytes >= ENOUGH || process.platform !== "linux" || MAPPED_FROM_NAME in process.env) return;
  if (process.argv.some((argument) => OPEN_FILE.test(argument))) return;
  const semiSpace = Math.ceil((memoryBytes * SEMI_SPACE_PART) / 2 ** 20);
  const [program, ...args] = process.argv as [string, ...string[]];
  process.execve?.(process.execPath, [program, ...process.execArgv, `--max-semi-space-size=${semiSpace}`, ...args], {
    ...process.env,
    [MAPPED_FROM_NAME]: String(MAPPED_FROM),
    MALLOC_TRIM_THRESHOLD_: String(MAPPED_FROM),
    MALLOC_ARENA_MAX: "2",
  });
}
