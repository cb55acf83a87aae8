export { beginBinned, growBinned } from "./binned/grow";
export { takeOffTree } from "./boost";
export { beginLists, grow } from "./grow";
export { allocate, lacksMemory, reset } from "./memory";
export { addLeaves } from "./predict";
export { countTree, loadBlock } from "./rows/block";
export { loadFrame } from "./rows/frame";
export {
  beginSubtrees,
  columnOut as subtreeColumns,
  growSubtree,
  leftOut as subtreeLefts,
  valueOut as subtreeValues,
} from "./rows/grow";
export { sendRows, takeRows } from "./rows/send";
export { loadTrainingSet, setSampling } from "./sample";
export { allocateTree, columnOut, leftOut, valueOut } from "./tree";
