import type { Socket } from "node:net";

/** Open connections that one address may have. A classroom may stand behind one; tests and nodes stand behind loopback. */
const MAX_PER_ADDRESS = 512;
const MAX_LOOPBACK = 1_024;

export interface Connections {
  /** Counts a new connection, or destroys it. */
  admit(socket: Socket): void;
  /** Ends all that are left. */
  destroyAll(): void;
}

export function trackConnections(
  most: { readonly others: number; readonly loopback: number } = {
    others: MAX_PER_ADDRESS,
    loopback: MAX_LOOPBACK,
  },
): Connections {
  const byAddress = new Map<string, Set<Socket>>();
  return {
    admit(socket) {
      const address = socket.remoteAddress ?? "unknown";
      const open = byAddress.get(address) ?? new Set<Socket>();
      if (open.size >= (isLoopback(address) ? most.loopback : most.others)) {
        socket.destroy();
        return;
      }
      byAddress.set(address, open.add(socket));
      socket.once("close", () => {
        open.delete(socket);
        if (open.size === 0) byAddress.delete(address);
      });
    },
    destroyAll() {
      for (const open of byAddress.values()) for (const socket of open) socket.destroy();
    },
  };
}

const isLoopback = (address: string): boolean => /^(::1|(::ffff:)?127\.)/.test(address);
