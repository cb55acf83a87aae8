/**
 * How held outputs reach the nodes that read them: `peer` straight from the node that holds them, `relay` through the coordinator,
 * `auto` whichever suits the chunk and was measured faster.
 */
export const SHUFFLE_MODES = ["auto", "peer", "relay"] as const;
export type ShuffleMode = (typeof SHUFFLE_MODES)[number];

/** Bytes of input chunks by the way they came: from another node, through the coordinator, or from the node itself. */
export interface ShuffleBytes {
  readonly peer: number;
  readonly relay: number;
  readonly local: number;
}

export const NO_SHUFFLE_BYTES: ShuffleBytes = { peer: 0, relay: 0, local: 0 };

export const addShuffleBytes = (a: ShuffleBytes, b: ShuffleBytes): ShuffleBytes => ({
  peer: a.peer + b.peer,
  relay: a.relay + b.relay,
  local: a.local + b.local,
});
