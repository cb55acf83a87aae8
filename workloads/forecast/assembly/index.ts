export { allocate, reset } from "./memory";
export { begin, grow } from "./grow";
