import { KindlingError } from "../../shared/errors.ts";

/** What an error of the AWS SDK tells, as far as it does. */
interface AwsError {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
}

export function awsError(error: unknown): AwsError {
  const { name, message, $metadata } = error as Partial<AwsError> & { $metadata?: { httpStatusCode?: number } };
  return { name: name ?? "Error", message: message ?? String(error), status: $metadata?.httpStatusCode };
}

const NO_CREDENTIALS =
  "there are no AWS credentials: run `aws configure` or `aws sso login`, set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
const NO_REGION = "no AWS region is set: set AWS_REGION, or a region in ~/.aws/config";

/** Names of errors that say the credentials themselves are no good. */
const STALE = new Set([
  ...["ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId", "TokenRefreshRequired"],
  ...["SignatureDoesNotMatch", "UnrecognizedClientException", "InvalidSignatureException"],
]);

/** An error of the AWS SDK as one that says, of `what`, why it failed and what to do. Errors of our own pass as they are. */
export function explainAws(error: unknown, what: string): KindlingError {
  if (error instanceof KindlingError) return error;
  const { name, message, status } = awsError(error);
  const as = (code: string, why: string): KindlingError => new KindlingError(code, `${what}: ${why}`, { cause: error });
  if (name === "CredentialsProviderError" || /could not load credentials/i.test(message)) {
    return as("NoCredentials", NO_CREDENTIALS);
  }
  if (/region is missing|region=""/i.test(message)) return as("NoRegion", NO_REGION);
  if (STALE.has(name)) return as("NoCredentials", `AWS does not take the credentials (${name}): ${message}`);
  if (status === 403 || name === "AccessDenied" || name === "AccessDeniedException") {
    return as("AccessDenied", `AWS refuses it to these credentials (${name === "403" ? "403" : name})`);
  }
  if (status !== undefined) return as("AwsRefused", `AWS answers ${status} ${name}: ${message}`);
  return as("AwsUnreachable", `AWS cannot be reached: ${message}`);
}
