import { join } from "node:path";
import { preparePython } from "./python.ts";

const PROJECT = join(import.meta.dirname, "../..");

/** The private Python in which the notebook runs: Jupyter's kernel, Spark, and what draws. */
export const NOTEBOOK_PYTHON = join(PROJECT, ".python/notebook");
export const ensureNotebookPython = (say: (line: string) => void): void =>
  preparePython(NOTEBOOK_PYTHON, join(PROJECT, "e2e/notebook/requirements.txt"), say);
