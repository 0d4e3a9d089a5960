export { Control } from "./control.ts";
