/** `npm run check`: the gates alone. */
import { runGates } from "./gates.ts";

const { passed, failed } = await runGates((text) => process.stdout.write(`${text}\n`));
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
