import { mayRun } from "./ready.ts";
import {
  capacity,
  type InputSet,
  isNeeded,
  leaseCount,
  type NodeState,
  type SchedulerState,
  type StageState,
  TASK_STATUSES,
  type TaskState,
} from "./state.ts";
import { isUnfinished } from "./transitions.ts";

/**
 * What must hold between any two events; gives the violations in words, none if all is well. It recomputes everything
 * that is counted incrementally, so its cost grows with the number of tasks: for tests.
 */
export function invariants(state: SchedulerState): string[] {
  const violations: string[] = [];
  const check = (holds: boolean, what: () => string): void => {
    if (!holds) violations.push(what());
  };
  for (const job of state.jobs.values()) {
    for (const stage of job.stages.values()) {
      checkStage(stage, check);
      for (const inputs of new Set(stage.tasks.map((task) => task.inputs))) checkInputs(inputs, check);
      for (const task of stage.tasks) checkTask(state, task, check);
    }
  }
  for (const node of state.nodes.values()) checkNode(state, node, check);
  for (const lease of state.leases.values()) {
    check(lease.task.leases.includes(lease), () => `${lease.attempt} is not among its task's leases`);
    check(state.nodes.get(lease.node.id) === lease.node, () => `${lease.attempt} is leased to a node that is gone`);
    check(
      lease.node.started.has(lease) !== lease.node.queued.has(lease),
      () => `${lease.attempt} is not exactly once on ${lease.node.id}`,
    );
    check(state.nextWake !== null, () => `${lease.attempt} would never expire: no Tick was asked for`);
  }
  check(state.doubtful.length === 0, () => "lineage was not settled");
  checkPlacement(state, check);
  return violations;
}

type Check = (holds: boolean, what: () => string) => void;

function checkStage(stage: StageState, check: Check): void {
  const name = `stage ${stage.job.id}/${stage.ordinal}`;
  for (const status of TASK_STATUSES) {
    const found = stage.tasks.filter((task) => task.status === status).length;
    check(stage.counts[status] === found, () => `${name} counts ${stage.counts[status]} ${status} tasks of ${found}`);
  }
  const accepted = stage.tasks.filter((task) => task.output !== null).length;
  check(stage.accepted === accepted, () => `${name} counts ${stage.accepted} accepted tasks of ${accepted}`);
}

function checkInputs(inputs: InputSet, check: Check): void {
  const name = `the inputs of ${inputs.readers[0]?.key}`;
  const missing = inputs.tasks.filter((input) => !input.available).length;
  check(inputs.missing === missing, () => `${name} count ${inputs.missing} missing of ${missing}`);
  const unfinished = inputs.readers.filter((reader) => isUnfinished(reader.status)).length;
  check(
    inputs.unfinished === unfinished,
    () => `${name} count ${inputs.unfinished} unfinished readers of ${unfinished}`,
  );
}

function checkTask(state: SchedulerState, task: TaskState, check: Check): void {
  const { key, status, inputs, leases, holders } = task;
  check(state.tasks.get(key) === task, () => `${key} is not found by its key`);
  check(leases.length > 0 === (status === "leased"), () => `${key} is ${status} with ${leases.length} leases`);
  check(leases.length <= 2, () => `${key} runs ${leases.length} times`);
  check(new Set(leases.map((lease) => lease.node)).size === leases.length, () => `${key} runs twice on one node`);
  for (const lease of leases) check(state.leases.get(lease.attempt) === lease, () => `${lease.attempt} is not live`);
  check(!(status === "ready" && inputs.missing > 0), () => `${key} is ready without its inputs`);
  check(!(status === "waiting" && inputs.missing === 0), () => `${key} waits for nothing`);
  check(!(task.durable && status !== "done"), () => `${key} is durable and ${status}`);
  check(
    !((status === "done" || status === "lost") && task.output === null),
    () => `${key} is ${status} without output`,
  );
  check(task.available === (status === "done" && (task.durable || holders.length > 0)), () => `${key}: availability`);
  const awaited = status === "done" && !task.available;
  check(
    awaited === state.awaited.has(task),
    () => `${key} is awaited: ${state.awaited.has(task)}, should be ${awaited}`,
  );
  check(!awaited || state.nextWake !== null, () => `${key} would be awaited for ever`);
  check(status === "done" || holders.length === 0, () => `${key} is ${status} and held by ${holders.length} nodes`);
  for (const node of holders) {
    check(
      state.nodes.get(node.id) === node && node.held.has(task),
      () => `${key} is held by ${node.id}, which is gone`,
    );
  }
  const idleRecomputation = task.output !== null && (status === "ready" || status === "waiting");
  if (!task.stage.job.failed) {
    check(status !== "lost" || !isNeeded(task), () => `${key} is needed and not made again`);
    check(!idleRecomputation || isNeeded(task), () => `${key} is made again for nothing`);
  } else {
    check(leases.length === 0, () => `${key} runs though its job has failed`);
  }
}

function checkNode(state: SchedulerState, node: NodeState, check: Check): void {
  const eligible = node.slots > 0 && !node.leaving && !node.silent;
  const room = capacity(node, state.options) - leaseCount(node);
  check(state.eligible.has(node) === eligible, () => `${node.id} eligible: ${!eligible}`);
  check(state.free.has(node) === (eligible && room > 0), () => `${node.id} is filed wrongly, with room for ${room}`);
  check(
    state.idle.has(node) === (eligible && leaseCount(node) < node.slots),
    () => `${node.id} is filed wrongly as idle`,
  );
  check(
    node.queued.size === 0 || node.started.size >= node.slots,
    () => `${node.id} queues ${node.queued.size} attempts beside a free slot`,
  );
  for (const lease of [...node.started, ...node.queued]) {
    check(state.leases.get(lease.attempt) === lease, () => `${node.id} has ${lease.attempt}, which is not live`);
  }
  for (const task of node.held) check(task.holders.includes(node), () => `${node.id} holds ${task.key} unknown to it`);
}

/** Work is never left lying: no node has room while a task is ready that it may run. */
function checkPlacement(state: SchedulerState, check: Check): void {
  if (state.free.size === 0) return;
  for (const task of state.tasks.values()) {
    if (task.status !== "ready" || task.stage.job.failed) continue;
    const failedOn = task.failures.map((failure) => failure.node);
    const node = [...state.free].find((free) => mayRun(state, failedOn, free));
    check(node === undefined, () => `${task.key} is ready, and ${node?.id} has room for it`);
  }
}
