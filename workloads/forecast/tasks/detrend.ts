import { defineTask } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import { fitLinear, takeOffLinear } from "../forest/linear.ts";

/** Fits a linear model to the training rows, and leaves what it does not explain for the trees. */
export const detrend = defineTask<Prepared, Prepared>({
  js(prepared) {
    const linear = fitLinear(prepared.training);
    return { ...prepared, linear, training: takeOffLinear(prepared.training, linear) };
  },
});
