import { KindlingError } from "../../shared/errors.ts";
import { type JobId, jobOfTask, type TaskKey, taskKey } from "../../shared/ids.ts";
import type { StagePlan } from "./events.ts";
import { endLease, refreshRoom } from "./leases.ts";
import { adopt, claimHeld, isAnswered } from "./nodes.ts";
import { emptyReadyTasks } from "./ready.ts";
import { settleResult } from "./results.ts";
import type { InputSet, JobState, SchedulerState, StageState, TaskState } from "./state.ts";
import { type EventOf, revoke, type Step, wake } from "./step.ts";
import { admit, transition } from "./transitions.ts";

/** Adds a stage's tasks, those that the journal answers as done. Throws `BadStage` for a plan that cannot be. */
export function stageAdded(step: Step, event: EventOf<"StageAdded">): void {
  const { state } = step;
  const plan = event.stage;
  const stage = makeStage(step, plan);
  const inputs = inputSets(state, plan);
  for (let partition = 0; partition < plan.dependencies.length; partition++) {
    addTask(step, stage, partition, inputs(plan.dependencies[partition] ?? []));
  }
  for (const { partition, output } of plan.finished) {
    const task = stage.tasks[partition];
    if (task === undefined) throw badStage(plan, `the journal names partition ${partition}, which it has not`);
    task.output = output;
    task.durable = output.durable;
    stage.accepted++;
    transition(step, task, "done", "the journal answers");
    if (!task.available) awaitHolder(step, task);
  }
  for (const task of stage.tasks) {
    if (task.status === "waiting" && task.inputs.missing === 0)
      transition(step, task, "ready", "all inputs are available");
  }
  if (stage.accepted === stage.tasks.length) {
    step.effects.push({ type: "StageDone", job: plan.job, ordinal: plan.ordinal });
  }
  claimParked(step, stage);
}

/** Drops all of a job. What still runs of it is stopped. */
export function jobEnded(step: Step, event: EventOf<"JobEnded">): void {
  const { state } = step;
  const job = state.jobs.get(event.job);
  for (const lease of [...state.leases.values()]) {
    if (lease.task.stage.job !== job) continue;
    endLease(step, lease);
    revoke(step, lease.node, lease.attempt);
  }
  for (const stage of job?.stages.values() ?? []) {
    for (const task of stage.tasks) {
      for (const node of task.holders) node.held.delete(task);
      state.awaited.delete(task);
      state.tasks.delete(task.key);
    }
    const at = state.runnable.indexOf(stage);
    if (at >= 0) state.runnable.splice(at, 1);
  }
  for (const node of state.nodes.values()) {
    for (const key of node.unclaimed.keys()) if (jobOfTask(key) === event.job) node.unclaimed.delete(key);
    for (const [key, parked] of node.parked) {
      if (jobOfTask(key) !== event.job) continue;
      node.parked.delete(key);
      revoke(step, node, parked.attempt);
    }
    refreshRoom(step, node);
  }
  state.jobs.delete(event.job);
}

function makeStage(step: Step, plan: StagePlan): StageState {
  const { state } = step;
  const job = state.jobs.get(plan.job) ?? addJob(state, plan.job);
  if (job.stages.has(plan.ordinal)) throw badStage(plan, "it was added before");
  const stage: StageState = {
    job,
    ordinal: plan.ordinal,
    priority: plan.priority,
    tasks: [],
    counts: { waiting: 0, ready: 0, leased: 0, done: 0, lost: 0 },
    ready: emptyReadyTasks(),
    durations: [],
    finishedAttempts: 0,
    accepted: 0,
    retries: 0,
  };
  job.stages.set(plan.ordinal, stage);
  return stage;
}

function addJob(state: SchedulerState, id: JobId): JobState {
  const job: JobState = { id, sequence: state.arrivals++, stages: new Map(), failed: false };
  state.jobs.set(id, job);
  return job;
}

/** Every task begins as waiting, and is ready at once where all inputs are available. */
function addTask(step: Step, stage: StageState, partition: number, inputs: InputSet): void {
  const task: TaskState = {
    key: taskKey(stage.job.id, stage.ordinal, partition),
    stage,
    partition,
    inputs,
    feeds: [],
    leases: [],
    holders: [],
    failures: [],
    history: [],
    status: "waiting",
    epoch: step.state.options.epochBase,
    output: null,
    madeBy: null,
    madeAs: null,
    durable: false,
    available: false,
    requested: false,
    graceUntil: null,
    avoid: "",
    lostAttempts: 0,
    starvedAttempts: 0,
  };
  stage.tasks.push(task);
  step.state.tasks.set(task.key, task);
  admit(step, task);
}

/**
 * Makes the input sets of a plan, one for each array of dependencies: a shuffle whose reducers all name the same array
 * costs maps + reducers, not maps × reducers.
 */
function inputSets(state: SchedulerState, plan: StagePlan): (dependencies: readonly TaskKey[]) => InputSet {
  const none: InputSet = { tasks: [], readers: [], missing: 0, unfinished: 0 };
  const made = new Map<readonly TaskKey[], InputSet>();
  return (dependencies) => {
    if (dependencies.length === 0) return none;
    const known = made.get(dependencies);
    if (known !== undefined) return known;
    const tasks = Array.from(new Set(dependencies), (key) => {
      const task = state.tasks.get(key);
      if (task === undefined) throw badStage(plan, `it reads ${key}, which is not known`);
      return task;
    });
    const missing = tasks.filter((task) => !task.available).length;
    const inputs: InputSet = { tasks, readers: [], missing, unfinished: 0 };
    for (const task of tasks) task.feeds.push(inputs);
    made.set(dependencies, inputs);
    return inputs;
  };
}

/** A held output that the journal knows: a node may have it already, or may yet come back with it. */
function awaitHolder(step: Step, task: TaskState): void {
  const { state, now } = step;
  for (const node of state.nodes.values()) {
    const chunks = node.unclaimed.get(task.key);
    if (chunks === undefined) continue;
    node.unclaimed.delete(task.key);
    claimHeld(step, task, node, chunks);
  }
  if (task.available) return;
  task.graceUntil = now + state.options.rejoinGraceMs;
  state.awaited.add(task);
  wake(step, task.graceUntil);
}

/** Adopts attempts that nodes brought before their stage was known, with the results that came for them. */
function claimParked(step: Step, stage: StageState): void {
  for (const node of step.state.nodes.values()) {
    for (const [key, parked] of node.parked) {
      const task = step.state.tasks.get(key);
      if (task?.stage !== stage) continue;
      node.parked.delete(key);
      const adopted = adopt(step, task, node, parked.attempt);
      if (parked.output !== null) settleResult(step, node, parked.attempt, parked.output);
      else if (!adopted && !isAnswered(step, node, parked.attempt)) revoke(step, node, parked.attempt);
    }
  }
}

const badStage = (plan: StagePlan, what: string): KindlingError =>
  new KindlingError("BadStage", `stage ${plan.ordinal} of job ${plan.job}: ${what}`);
