// A module of WebAssembly with one function, put together from its instructions, as the WebAssembly Core Specification 2.0
// encodes them. Nothing but what is needed here: vectors of four 32-bit lanes, loops that count, and loads and stores.

/** Instructions one after the other, each taking from the stack what those before it left there. */
export type Code = readonly number[];

export const join = (...parts: Code[]): Code => parts.flat();

/** LEB128, of numbers that are not negative. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const isLast = value >= -0x40 && value < 0x40;
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number): Code => [0x21, ...unsigned(local)];
export const integer = (value: number): Code => [0x41, ...signed(value)];

const vector = (opcode: number, ...immediates: Code[]): Code => [
  0xfd,
  ...unsigned(opcode),
  ...immediates.flat(),
];
const alignment: Code = [4];
/** From the address on the stack, so many bytes behind it. */
export const load = (offset: number): Code => vector(0x00, alignment, unsigned(offset));
export const store = (offset: number): Code => vector(0x0b, alignment, unsigned(offset));
export const and = vector(0x4e);
export const or = vector(0x50);
export const xor = vector(0x51);
export const shiftLeft = vector(0xab);
export const shiftRight = vector(0xad);
export const add = vector(0xae);

/** Counts a local from 0 by `step` until it is `end`. */
export function countUp(local: number, { step, end }: { step: number; end: number }, body: Code): Code {
  const [loop, noResult, addIntegers, isLess, branchIf, endBlock] = [0x03, 0x40, 0x6a, 0x48, 0x0d, 0x0b];
  const next = join(get(local), integer(step), [addIntegers], set(local));
  const again = join(get(local), integer(end), [isLess, branchIf, 0]);
  return join(integer(0), set(local), [loop, noResult], body, next, again, [endBlock]);
}

interface FunctionBody {
  /** 32-bit integers; the first locals. */
  parameters: number;
  /** Locals behind the parameters: first integers, then vectors. */
  integers: number;
  vectors: number;
  code: Code;
}

/** Calls the function with its memory of 64 KiB. */
export interface AssembledModule {
  memory: WebAssembly.Memory;
  run: (...parameters: number[]) => void;
}

/** Takes less than a millisecond for thousands of instructions. @throws {WebAssembly.CompileError} */
export function assemble({ parameters, integers, vectors, code }: FunctionBody): AssembledModule {
  const [i32, v128, functionType, end] = [0x7f, 0x7b, 0x60, 0x0b];
  const list = (items: Code[]): Code => [...unsigned(items.length), ...items.flat()];
  const sized = (content: Code): Code => [...unsigned(content.length), ...content];
  const name = (text: string): Code => sized([...Buffer.from(text)]);
  const section = (id: number, items: Code[]): Code => [id, ...sized(list(items))];
  const locals = list([
    [...unsigned(integers), i32],
    [...unsigned(vectors), v128],
  ]);
  const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const bytes = Uint8Array.from([
    ...magicAndVersion,
    ...section(1, [[functionType, ...list(Array.from({ length: parameters }, () => [i32])), 0]]),
    ...section(3, [[0]]),
    ...section(5, [[0, 1]]),
    ...section(7, [
      [...name('memory'), 2, 0],
      [...name('run'), 0, 0],
    ]),
    ...section(10, [sized([...locals, ...code, end])]),
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  return exports as unknown as AssembledModule;
}
