/** Imports go one way: shared ← workloads ← client | coordinator ← e2e; docker/emr stands beside the coordinator, above its door. */

const TEST = "([.](test|bench)|/bench)[.]ts$";
const NODE = { dependencyTypes: ["core"] };

/** @param {string} name @param {string} comment @param {object} from @param {object} to */
const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    forbid(
      "shared-stands-alone",
      "shared is what every side speaks: it knows none of them.",
      { path: "^shared/" },
      { path: "^(workloads|client|coordinator|e2e|docker)/" },
    ),
    forbid(
      "workloads-use-shared-only",
      "A workload runs on every executor: it sees the SDK and shared, nothing of who runs it.",
      { path: "^workloads/" },
      { path: "^(client|coordinator|e2e|docker)/" },
    ),
    forbid(
      "coordinator-not-client",
      "The coordinator speaks to nodes through shared/protocol alone.",
      { path: "^coordinator/" },
      { path: "^client/" },
    ),
    forbid(
      "client-not-coordinator",
      "A node or page speaks to the coordinator over the wire; only the command line starts one.",
      { path: "^client/", pathNot: "^client/cli/" },
      { path: "^coordinator/" },
    ),
    forbid(
      "coordinator-through-its-door",
      "Who starts a coordinator imports coordinator/index.ts and nothing behind it.",
      { path: "^(client/cli|e2e|docker/emr)/" },
      { path: "^coordinator/", pathNot: "^coordinator/index[.]ts$" },
    ),
    forbid(
      "drivers-through-their-door",
      "A driver that runs outside a coordinator imports coordinator/driving.ts: no store, no network.",
      { path: "^docker/spark/" },
      { path: "^coordinator/", pathNot: "^coordinator/driving[.]ts$" },
    ),
    forbid(
      "docker-spark-runs-elsewhere",
      "What runs inside Spark reads files as a node's worker does, and knows nothing else of clients.",
      { path: "^docker/spark/" },
      { path: "^client/", pathNot: "^client/worker/" },
    ),
    forbid(
      "nothing-uses-e2e",
      "End-to-end tests stand above everything.",
      { path: "^(shared|workloads|client|coordinator|docker)/" },
      { path: "^e2e/" },
    ),
    forbid(
      "docker-through-its-door",
      "Only the command line provisions clusters, and it imports docker/emr/index.ts and nothing behind it.",
      { path: "^(client|coordinator)/" },
      { path: "^docker/", pathNot: "^docker/emr/index[.]ts$" },
    ),
    forbid(
      "docker-emr-for-the-command-line",
      "A node, a page or a coordinator knows nothing of the clusters it may run beside.",
      { path: "^(client|coordinator)/", pathNot: "^client/cli/" },
      { path: "^docker/emr/" },
    ),
    forbid(
      "docker-emr-provisions",
      "docker/emr sets clusters up: it sees shared and the coordinator's door, no workload and no client.",
      { path: "^docker/emr/" },
      { path: "^(workloads|client)/" },
    ),
    forbid(
      "scheduler-is-pure",
      "(state, event, now) → {state, effects}: the scheduler sees shared and itself.",
      { path: "^coordinator/scheduler/", pathNot: TEST },
      { pathNot: "^(shared|coordinator/scheduler)/" },
    ),
    forbid("no-node-in-shared", "shared runs in tabs too.", { path: "^shared/", pathNot: TEST }, NODE),
    forbid(
      "no-node-in-workloads",
      "Workloads run in tabs too.",
      { path: "^workloads/", pathNot: [TEST, "/testing([.]ts$|/)", "^workloads/build-wasm[.]ts$"] },
      NODE,
    ),
    forbid(
      "no-node-in-tabs",
      "What a tab runs, or shares with the headless node, has no Node modules.",
      { path: "^client/(join|dashboard|ui|node|transport|gpu)/", pathNot: [TEST, "/testing/"] },
      NODE,
    ),
    forbid(
      "no-dev-dependency-at-run-time",
      "What runs for users is in dependencies.",
      {
        path: "^(shared|workloads|client|coordinator|docker)/",
        pathNot: [TEST, "^workloads/build-wasm[.]ts$", "/testing([.]ts$|/)"],
      },
      { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    ),
    forbid(
      "no-test-in-product",
      "Product code does not import tests.",
      { path: "^(shared|workloads|client|coordinator|docker)/", pathNot: TEST },
      { path: TEST },
    ),
    forbid("no-cycles", "A cycle has no first file to read.", {}, { circular: true }),
    forbid("resolvable", "An import that leads nowhere is not checked.", { pathNot: TEST }, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: ["(^|/)dist/", "^workloads/[^/]+/assembly/"] },
    moduleSystems: ["es6", "cjs"],
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".js", ".cjs", ".mjs", ".json", ".wasm", ".wgsl", ".css", ".d.ts"],
    },
  },
};
