/** Messages as points of Graphite, and points as bytes of its two protocols. */
import type { FieldValue } from "../../readings/index.ts";
import type { MappedMessage } from "../sink.ts";
import { createPathMaker, findPathFault, type PathSettings } from "./path.ts";

export interface GraphitePoint {
  readonly path: string;
  /** Finite. */
  readonly value: number;
  /** Whole seconds since 1970. */
  readonly seconds: number;
}

export interface GraphitePoints {
  readonly points: readonly GraphitePoint[];
  /** Why it can have none of the message; then there are no points. */
  readonly refusal?: string;
}

const microsecondsPerSecond = 1_000_000;
/** Whisper has 32 bits for a time. */
const secondsMax = 0xffff_ffff;

export function createPointMaker(settings: PathSettings) {
  const makePath = createPathMaker(settings);
  return ({ readings }: MappedMessage): GraphitePoints => {
    const points: GraphitePoint[] = [];
    for (const { series, time, fields } of readings) {
      const seconds = Math.floor(time / microsecondsPerSecond);
      for (const [field, fieldValue] of fields) {
        const value = toNumber(fieldValue);
        if (value === undefined) continue;
        const path = makePath(series, field);
        const refusal = findPathFault(path) ?? findTimeFault(seconds);
        if (refusal !== undefined) return { points: [], refusal };
        points.push({ path, value, seconds });
      }
    }
    return { points };
  };
}

/** Text cannot be held. */
function toNumber(value: FieldValue): number | undefined {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** To carbon -1 is now; and what whisper cannot write takes what else is there of its path with it. */
function findTimeFault(seconds: number): string | undefined {
  if (seconds >= 0 && seconds <= secondsMax) return undefined;
  return `a time ${seconds < 0 ? "before 1970" : "after February 2106"}: Graphite has none`;
}

/** One line for each point, without its end. */
export function toLine({ path, value, seconds }: GraphitePoint): string {
  return `${path} ${value} ${seconds}`;
}

export function encodePlaintext(points: readonly GraphitePoint[]): Buffer {
  return Buffer.from(points.map((point) => `${toLine(point)}\n`).join(""), "latin1");
}
