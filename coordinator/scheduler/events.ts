import type { WireError } from "../../shared/errors.ts";
import type { AttemptId, JobId, NodeId, TaskKey } from "../../shared/ids.ts";
import type { HeldChunk, OutputChunk } from "../../shared/protocol/messages.ts";

/** What a finished attempt made. */
export interface Output {
  readonly chunks: readonly OutputChunk[];
  /** Whether the coordinator has every byte of it: all chunks came inline or were uploaded. */
  readonly durable: boolean;
}

/** What the scheduler needs to know of a stage; inputs and kernels are the shell's business. */
export interface StagePlan {
  readonly job: JobId;
  readonly ordinal: number;
  /** For each partition, the tasks whose outputs it reads (lineage). The broadcast's task, if any, is among them. */
  readonly dependencies: readonly (readonly TaskKey[])[];
  /** Partitions that the journal already answers. */
  readonly finished: readonly { readonly partition: number; readonly output: Output }[];
  /** Higher runs first among the ready; earlier jobs get a higher one. */
  readonly priority: number;
}

/** All that can happen, as plain data. */
export type SchedulerEvent =
  | {
      readonly type: "NodeJoined";
      readonly node: NodeId;
      readonly slots: number;
      /** Outputs that it still holds from before. */
      readonly held: readonly HeldChunk[];
      /** Attempts that it runs, or finished without hearing that they count. */
      readonly running: readonly AttemptId[];
    }
  | { readonly type: "NodeLost"; readonly node: NodeId; readonly reason: string }
  | { readonly type: "NodeLeaving"; readonly node: NodeId }
  | {
      readonly type: "SlotsChanged";
      readonly node: NodeId;
      readonly slots: number;
      readonly released: readonly AttemptId[];
    }
  | { readonly type: "Heartbeat"; readonly node: NodeId; readonly running: readonly AttemptId[] }
  | { readonly type: "StageAdded"; readonly stage: StagePlan }
  | { readonly type: "AttemptSucceeded"; readonly node: NodeId; readonly attempt: AttemptId; readonly output: Output }
  | { readonly type: "AttemptFailed"; readonly node: NodeId; readonly attempt: AttemptId; readonly error: WireError }
  /** An output is needed that `node` could not give, or (null) that no live node holds: make it again. */
  | { readonly type: "OutputMissing"; readonly task: TaskKey; readonly node: NodeId | null }
  /** All bytes of a held output have reached the coordinator. */
  | { readonly type: "OutputDurable"; readonly task: TaskKey }
  | { readonly type: "JobEnded"; readonly job: JobId }
  | { readonly type: "Tick" };

export interface Assignment {
  readonly attempt: AttemptId;
  readonly task: TaskKey;
}

/** All that the scheduler asks of its shell, as plain data. */
export type SchedulerEffect =
  | { readonly type: "Assign"; readonly node: NodeId; readonly assignments: readonly Assignment[] }
  | { readonly type: "Revoke"; readonly node: NodeId; readonly attempts: readonly AttemptId[] }
  /** Journal this output, then acknowledge it to its node. */
  | {
      readonly type: "Accept";
      readonly node: NodeId;
      readonly attempt: AttemptId;
      readonly task: TaskKey;
      readonly output: Output;
      /**
       * An identical output of this task was accepted before (it was lost and made again, or its acknowledgement was):
       * acknowledge it and count nothing twice. Journal it only if it is durable and the first was not.
       */
      readonly repeated: boolean;
    }
  | { readonly type: "Reject"; readonly node: NodeId; readonly attempt: AttemptId; readonly reason: string }
  | { readonly type: "StageDone"; readonly job: JobId; readonly ordinal: number }
  | { readonly type: "JobFailed"; readonly job: JobId; readonly error: WireError }
  /** Send a Tick at this monotonic time (ms), or earlier. */
  | { readonly type: "WakeAt"; readonly time: number };
