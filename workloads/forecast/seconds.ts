import type { Job } from "kindling";

/** Seconds since 1970, finer than Date.now(); a driver that is replayed by another process goes on from there. */
export const seconds = (job: Job): Promise<number> =>
  job.once(() => (performance.timeOrigin + performance.now()) / 1000);
