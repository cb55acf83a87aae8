import { blobContract } from "./blobs.contract.ts";
import { MemoryBlobs } from "./memory-blobs.ts";

blobContract("blobs in memory", () => Promise.resolve(new MemoryBlobs()));
