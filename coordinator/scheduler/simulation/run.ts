import { type NodeId, nodeId, type TaskKey, taskKey } from "../../../shared/ids.ts";
import { philoxRng, type Rng } from "../../../shared/rng.ts";
import { ManualClock } from "../../../shared/testing/manual-clock.ts";
import { story } from "../story.ts";
import type { World } from "./network.ts";
import { type Disk, SimCoordinator } from "./sim-coordinator.ts";
import { SimNode } from "./sim-node.ts";
import { drawJob, drawWork, type JobPlan, type Work } from "./workload.ts";

export interface Outcome {
  /** Why the run is wrong; null if all that must hold held. */
  readonly failure: string | null;
  readonly tasks: number;
  /** Attempts that began to run anywhere. */
  readonly executions: number;
  readonly events: number;
  readonly faults: readonly string[];
  readonly virtualMs: number;
  /** Transitions that tasks made. */
  readonly transitions: ReadonlySet<string>;
  /** Every event with its effects. */
  readonly trace: readonly string[];
}

/** ms during which things go wrong, and by which all must have ended after that. */
const CHAOS_MS = 1_500;
const CALM_MS = 20_000;

/** Runs one or two small jobs on a handful of nodes; with `chaos`, what happens to them follows from the seed too. */
export function simulate(seed: number, chaos: boolean): Outcome {
  return new Simulation(seed, chaos).run();
}

class Simulation implements World {
  readonly clock = new ManualClock();
  readonly rng: Rng;
  readonly #chaos: boolean;
  readonly #jobs: readonly JobPlan[];
  readonly #work: ReadonlyMap<TaskKey, Work>;
  readonly #disk: Disk = { outputs: new Map(), ended: new Set(), incarnation: 0 };
  readonly #nodes: SimNode[] = [];
  readonly #started = new Map<string, number>();
  readonly #faults: string[] = [];
  readonly #trace: string[] = [];
  readonly #transitions = new Set<string>();
  #coordinator: SimCoordinator;
  #executions = 0;
  #names = 0;

  constructor(seed: number, chaos: boolean) {
    this.rng = philoxRng(seed, 1);
    this.#chaos = chaos;
    this.#jobs = Array.from({ length: 1 + this.rng.below(2) }, (_, index) => drawJob(this.rng, index));
    this.#work = drawWork(this.rng, this.#jobs, chaos);
    this.#coordinator = new SimCoordinator(this, this.#disk, this.#jobs, this.#trace, this.#transitions);
  }

  run(): Outcome {
    this.#coordinator.start();
    const nodes = 1 + this.rng.below(4);
    for (let index = 0; index < nodes; index++) this.#addNode();
    if (this.#chaos) this.#scheduleFault();
    while (!this.#ended() && this.clock.now() < CHAOS_MS + CALM_MS && this.clock.step());
    return {
      failure: this.#coordinator.failure ?? this.#whyUnfinished() ?? this.#whyWrong(),
      tasks: this.#work.size,
      executions: this.#executions,
      events: this.#trace.length,
      faults: this.#faults,
      virtualMs: this.clock.now(),
      transitions: this.#transitions,
      trace: this.#trace,
    };
  }

  receive: World["receive"] = (link, message) => this.#coordinator.receive(link, message);

  broke: World["broke"] = (link) => {
    link.open = false;
    this.clock.after(this.rng.below(60), () => this.#coordinator.lost(link));
  };

  accept: World["accept"] = (link, deliver) => {
    if (this.#coordinator.alive) this.#coordinator.accept(link, deliver);
    return this.#coordinator.alive;
  };

  canRead: World["canRead"] = (input) => {
    const key = input as TaskKey;
    return (
      this.#disk.outputs.get(key)?.durable === true || this.#nodes.some((node) => node.reachable && node.held.has(key))
    );
  };

  work: World["work"] = (task) => {
    const work = this.#work.get(task as TaskKey);
    if (work === undefined) throw new Error(`${task} is not a task of this run`);
    return work;
  };

  started: World["started"] = (task) => {
    this.#executions++;
    const before = this.#started.get(task) ?? 0;
    this.#started.set(task, before + 1);
    return before;
  };

  #addNode(id: NodeId = nodeId(`n${this.#names++}`)): void {
    const node = new SimNode(this, id, 1 + this.rng.below(3), this.#chaos);
    this.#nodes.push(node);
    node.connect();
  }

  #ended(): boolean {
    return this.#coordinator.failure !== null || this.#disk.ended.size === this.#jobs.length;
  }

  /** Faults come as a Poisson process. */
  #scheduleFault(): void {
    this.clock.after(-60 * Math.log(1 - this.rng.unit()), () => {
      if (this.clock.now() >= CHAOS_MS) {
        this.#calm();
        return;
      }
      this.#fault();
      this.#scheduleFault();
    });
  }

  #fault(): void {
    const alive = this.#nodes.filter((node) => node.alive);
    const node = alive[this.rng.below(Math.max(1, alive.length))];
    if (node === undefined) return;
    const faults: Record<string, () => void> = {
      kill: () => this.#kill(node),
      disconnect: () => {
        node.disconnect();
        this.clock.after(this.rng.below(300), () => node.connect());
      },
      halfOpen: () => {
        const { link } = node;
        if (link === null) return;
        link.halfOpen = true;
        this.clock.after(this.rng.below(2_500), () => {
          if (node.link !== link) return;
          node.disconnect();
          node.connect();
        });
      },
      slow: () => {
        node.slowness = 10;
      },
      lie: () => {
        node.lying = true;
      },
      pause: () => {
        node.pause();
        this.clock.after(this.rng.below(500), () => node.resume());
      },
      leave: () => {
        node.leave();
        this.clock.after(this.rng.below(300), () => this.#addNode());
      },
      evict: () => node.held.clear(),
      restart: () => this.#restart(),
      join: () => this.#addNode(),
    };
    const names = Object.keys(faults);
    const name = names[this.rng.below(names.length)] ?? "kill";
    this.#faults.push(name);
    this.#trace.push(`${this.clock.now().toFixed(3)} fault ${name} ${node.id}`);
    faults[name]?.();
  }

  /** A process dies; another comes with the same id or a new one. */
  #kill(node: SimNode): void {
    node.kill();
    const sameId = this.rng.below(2) === 0;
    this.clock.after(this.rng.below(200), () => (sameId ? this.#addNode(node.id) : this.#addNode()));
  }

  #restart(): void {
    if (!this.#coordinator.alive) return;
    for (const link of this.#coordinator.crash()) link.open = false;
    const { failure } = this.#coordinator;
    this.clock.after(this.rng.below(200), () => {
      this.#coordinator = new SimCoordinator(this, this.#disk, this.#jobs, this.#trace, this.#transitions);
      this.#coordinator.failure = failure;
      this.#coordinator.start();
      for (const node of this.#nodes) {
        const { link } = node;
        if (node.alive && !link?.open) this.clock.after(this.rng.below(200), () => node.connect());
      }
    });
  }

  /** Everything works from now on: a job that still does not end hangs. */
  #calm(): void {
    for (const node of this.#nodes) {
      if (!node.alive) continue;
      if (node.lying) node.kill();
      node.slowness = 1;
    }
    this.#addNode();
  }

  #whyUnfinished(): string | null {
    if (this.#disk.ended.size === this.#jobs.length) return null;
    const { state } = this.#coordinator;
    const open = [...state.tasks.values()].filter((task) => task.status !== "done");
    const stuck = open.find((task) => task.status !== "lost") ?? open[0];
    return `not ended after ${this.clock.now()} ms\n${stuck ? story(state, stuck.key).join("\n") : "no task is left"}`;
  }

  /** Each partition has exactly one journalled output, and it is the right one. */
  #whyWrong(): string | null {
    for (const { id, stages } of this.#jobs) {
      for (const [ordinal, partitions] of stages.entries()) {
        for (const partition of partitions.keys()) {
          const task = taskKey(id, ordinal, partition);
          const found = this.#disk.outputs.get(task)?.chunks[0]?.hash;
          if (found !== this.#work.get(task)?.output.chunks[0]?.hash) return `${task} has the output ${found}`;
        }
      }
    }
    return null;
  }
}
