import { journalContract } from "./journal.contract.ts";
import { MemoryJournal } from "./memory-journal.ts";

journalContract("memory journal", () => Promise.resolve(new MemoryJournal()));
