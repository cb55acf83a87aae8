import type { RemoteRequest } from "./remote.ts";

/** What `spark-submit` is told of an application besides its name, its program and the program's arguments. */
export const submitWords = ({ pyFiles, files, conf }: RemoteRequest): string[] => [
  ...(pyFiles.length > 0 ? ["--py-files", pyFiles.join(",")] : []),
  ...(files.length > 0 ? ["--files", files.join(",")] : []),
  ...Object.entries(conf).flatMap(([key, value]) => ["--conf", `${key}=${value}`]),
];
