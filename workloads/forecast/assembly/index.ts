export { beginBinned, growBinned } from "./binned";
export { takeOffTree } from "./boost";
export { beginLists, grow } from "./grow";
export { allocate, reset } from "./memory";
export { loadTrainingSet, setSampling } from "./sample";
export { allocateTree, columnOut, leftOut, valueOut } from "./tree";
