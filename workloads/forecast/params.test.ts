import { expect, test } from "vitest";
import { checkParams } from "../../coordinator/index.ts";
