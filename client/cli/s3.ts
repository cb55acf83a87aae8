import { S3 } from "../../coordinator/index.ts";

/** The command line's connection to S3, with the caller's own credentials. */
export const s3 = new S3();
