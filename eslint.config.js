import tseslint from "typescript-eslint";

/**
 * What IEEE 754 or the language fixes to the last bit. All other functions of Math (exp, log, sin, pow, hypot, random …)
 * differ between engines or between versions of one engine, and a result may not depend on where it was computed.
 */
const EXACT_MATH = [
  ...["abs", "ceil", "clz32", "f16round", "floor", "fround", "imul", "max", "min", "round", "sign", "sqrt", "trunc"],
  ...["E", "LN2", "LN10", "LOG2E", "LOG10E", "PI", "SQRT1_2", "SQRT2"],
];

const exactMath = {
  object: "Math",
  allowProperties: EXACT_MATH,
  message: "Not the same on every engine: use shared/math, or an Rng for chance.",
};

const localeDependent = ["localeCompare", "toLocaleString", "toLocaleLowerCase", "toLocaleUpperCase"].map(
  (property) => ({
    property,
    message: "Depends on the machine's language: compare or format by code units.",
  }),
);

/**
 * A power is exact if the compiler folds it (`2 ** 32`, `2 ** -32`) or if it is one of bigints. Any other goes through the
 * engine's pow.
 */
const EXACT_POWERS = [
  "[left.raw=/^\\d+$/][right.raw=/^\\d+$/]",
  "[left.raw='2'][right.operator='-'][right.argument.raw=/^\\d+$/]",
  ...["left", "right"].flatMap((side) => [`[${side}.bigint]`, `[${side}.callee.name='BigInt']`]),
];
const inexactPower = [
  {
    selector: `BinaryExpression[operator='**']${EXACT_POWERS.map((exact) => `:not(${exact})`).join("")}`,
    message: "`**` is exact for integer literals and bigints alone: use shared/math or multiply.",
  },
  { selector: "AssignmentExpression[operator='**=']", message: "`**=` goes through the engine's pow: multiply." },
  {
    selector: "VariableDeclarator[id.type='Identifier'][init.name='Math']",
    message: "Do not rename Math: the ban on its inexact functions goes by name.",
  },
];

const OUTSIDE = "Time and chance are arguments: take a Clock or an Rng.";
const clocks = (except = "") => [
  {
    selector: `CallExpression[callee.object.name=/^(Date|performance)$/][callee.property.name='now']${except}`,
    message: OUTSIDE,
  },
  { selector: `NewExpression[callee.name='Date'][arguments.length=0]${except}`, message: OUTSIDE },
  { selector: `CallExpression[callee.name='Date']${except}`, message: OUTSIDE },
  {
    selector: `CallExpression[callee.object.name='crypto'][callee.property.name=/^(randomUUID|getRandomValues)$/]${except}`,
    message: OUTSIDE,
  },
];

/** What `job.once` computes is journalled, so a driver may look at the clock there. */
const INSIDE_ONCE = ":not(CallExpression[callee.property.name='once'] *)";

const hostGlobals = [
  ...[
    "window",
    "document",
    "self",
    "location",
    "localStorage",
    "sessionStorage",
    "indexedDB",
    "Worker",
    "RTCPeerConnection",
  ],
  ...["process", "Buffer", "global", "require", "module", "__dirname", "__filename", "setImmediate"],
].map((name) => ({ name, message: "Only what browsers and servers share is allowed here." }));

const noNodeImports = [
  "error",
  {
    patterns: [
      { regex: "^node:", message: "Runs in tabs too: no Node module here." },
      {
        regex: "^(fs|path|os|crypto|child_process|worker_threads|stream|util|url|http|net)(/|$)",
        message: "No Node module here.",
      },
    ],
  },
];

const focusedTest = {
  selector: "MemberExpression[object.name=/^(test|it|describe)$/][property.name='only']",
  message: "A focused test hides all others.",
};

const TESTS = ["**/*.test.ts", "**/*.bench.ts", "**/bench.ts"];

export default tseslint.config(
  {
    ignores: [
      "*",
      ...["client/", "coordinator/", "shared/", "workloads/", "e2e/", "docker/"].map((folder) => `!${folder}`),
      ...["eslint.config.js", "vite.config.ts", ".dependency-cruiser.cjs"].map((file) => `!${file}`),
      "**/node_modules",
      "workloads/*/assembly",
      "docker/**/*.js",
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.{ts,js,cjs}"],
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-eval": "error",
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
    },
  },
  {
    files: ["**/*.ts"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: {
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-unsafe-argument": "error",
      "@typescript-eslint/no-unsafe-assignment": "error",
      "@typescript-eslint/no-unsafe-call": "error",
      "@typescript-eslint/no-unsafe-member-access": "error",
      "@typescript-eslint/no-unsafe-return": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
    },
  },
  {
    name: "results are the same bits everywhere",
    files: ["workloads/**/*.ts", "shared/**/*.ts"],
    ignores: ["shared/math/**/*.test.ts", "workloads/build-wasm.ts"],
    rules: { "no-restricted-properties": ["error", exactMath, ...localeDependent] },
  },
  {
    name: "shared: no clock, no chance, no host",
    files: ["shared/**/*.ts"],
    ignores: [...TESTS, "shared/clock.ts"],
    rules: {
      "no-restricted-syntax": ["error", ...inexactPower, ...clocks()],
      "no-restricted-globals": ["error", ...hostGlobals],
      "no-restricted-imports": noNodeImports,
    },
  },
  {
    name: "workloads: the clock only inside job.once",
    files: ["workloads/**/*.ts"],
    ignores: [...TESTS, "**/testing.ts", "**/testing/**", "workloads/build-wasm.ts"],
    rules: {
      "no-restricted-syntax": ["error", ...inexactPower, ...clocks(INSIDE_ONCE)],
      "no-restricted-globals": ["error", ...hostGlobals],
      "no-restricted-imports": noNodeImports,
    },
  },
  {
    name: "the scheduler is a pure function",
    files: ["coordinator/scheduler/**/*.ts"],
    ignores: TESTS,
    rules: {
      "no-restricted-properties": ["error", { object: "Math", property: "random", message: OUTSIDE }],
      "no-restricted-syntax": ["error", ...clocks()],
      "no-restricted-globals": [
        "error",
        ...hostGlobals,
        ...["setTimeout", "setInterval", "fetch", "performance", "queueMicrotask"].map((name) => ({
          name,
          message: OUTSIDE,
        })),
      ],
      "no-restricted-imports": noNodeImports,
    },
  },
  {
    name: "text goes into a page as text",
    files: ["client/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "AssignmentExpression[left.property.name=/^(innerHTML|outerHTML|srcdoc)$/]",
          message: "Text goes in as text: use textContent or append.",
        },
        {
          selector: "CallExpression[callee.property.name=/^(insertAdjacentHTML|createContextualFragment)$/]",
          message: "Text goes in as text: use textContent or append.",
        },
      ],
    },
  },
  {
    name: "where tasks of different types stand together",
    files: ["shared/sdk/workload.ts"],
    rules: { "@typescript-eslint/no-explicit-any": "off" },
  },
  { name: "every test runs", files: TESTS, rules: { "no-restricted-syntax": ["error", focusedTest] } },
);
