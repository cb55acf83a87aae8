import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { KindlingError } from "../../../shared/errors.ts";

const HOW =
  "install a Java runtime (17 or later; Debian: apt-get install openjdk-17-jre-headless) and Spark " +
  "(pip install pyspark==3.5.9, or unpack a release and set SPARK_HOME)";

/** The `spark-submit` of SPARK_HOME, else of the path. Throws `SparkMissing`, which says what to install. */
export function findSparkSubmit(env: NodeJS.ProcessEnv): string {
  const home = env["SPARK_HOME"];
  if (home !== undefined && home !== "" && !isProgram(join(home, "bin/spark-submit"))) {
    throw new KindlingError("SparkMissing", `SPARK_HOME names ${home}, which has no bin/spark-submit: ${HOW}`);
  }
  const submit = home ? join(home, "bin/spark-submit") : onPath("spark-submit", env);
  if (submit === null) throw new KindlingError("SparkMissing", `There is no spark-submit on this machine: ${HOW}`);
  const java = env["JAVA_HOME"] ? join(env["JAVA_HOME"], "bin/java") : onPath("java", env);
  if (java === null || !isProgram(java)) {
    throw new KindlingError("SparkMissing", `Spark is here (${submit}), but no Java for it: ${HOW}`);
  }
  return submit;
}

function onPath(name: string, env: NodeJS.ProcessEnv): string | null {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
