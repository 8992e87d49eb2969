/**
 * The machine as Home Assistant is told of it: one retained message of its MQTT discovery, that describes the device and each of
 * its figures (https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload, since Home Assistant 2024.11). One
 * message instead of one for each figure: it is removed by one empty message, and needs a right to one topic.
 */
import { createHash } from "node:crypto";
import type { Figure, FigureKind } from "./figure.ts";

/** A machine where containers come and go does not grow for ever: the oldest are left out then. */
const figuresMax = 500;

interface Description {
  readonly platform: "sensor" | "binary_sensor";
  readonly device_class?: string;
  readonly unit_of_measurement?: string;
  readonly state_class?: "measurement" | "total_increasing";
  readonly payload_on?: string;
  readonly payload_off?: string;
}

const sensor = { platform: "sensor", state_class: "measurement" } as const;

const descriptions: Readonly<Record<FigureKind, Description>> = {
  percent: { ...sensor, unit_of_measurement: "%" },
  load: sensor,
  bytes: { ...sensor, device_class: "data_size", unit_of_measurement: "B" },
  bytesPerSecond: { ...sensor, device_class: "data_rate", unit_of_measurement: "B/s" },
  celsius: { ...sensor, device_class: "temperature", unit_of_measurement: "°C" },
  seconds: { ...sensor, device_class: "duration", unit_of_measurement: "s" },
  count: sensor,
  total: { ...sensor, state_class: "total_increasing" },
  running: {
    platform: "binary_sensor",
    device_class: "running",
    payload_on: "1",
    payload_off: "0",
  },
  number: sensor,
};

export interface HomeAssistantOptions {
  /** Of the machine: the first level of the topics of its figures. */
  readonly name: string;
  readonly version: string;
  /** All figures in one message `NAME/state`. */
  readonly json: boolean;
  /** A figure that was not published for so long is not known any more. */
  readonly expireSeconds: number;
}

export class HomeAssistantDevice {
  readonly #options: HomeAssistantOptions;
  readonly #kinds = new Map<string, FigureKind>();

  constructor(options: HomeAssistantOptions) {
    this.#options = options;
  }

  /** Whether there are figures that it was not told of. */
  learn(figures: readonly Figure[]): boolean {
    let isNew = false;
    for (const { path, kind } of figures) {
      if (this.#kinds.has(path)) continue;
      isNew = true;
      this.#kinds.set(path, kind);
    }
    for (const path of this.#kinds.keys()) {
      if (this.#kinds.size <= figuresMax) break;
      this.#kinds.delete(path);
    }
    return isNew;
  }

  /** Undefined before there is a figure. */
  describe(): string | undefined {
    if (this.#kinds.size === 0) return undefined;
    const { name, version, expireSeconds } = this.#options;
    const components: Record<string, object> = {};
    for (const [path, kind] of this.#kinds) {
      components[toObjectId(path)] = {
        ...descriptions[kind],
        name: nameOf(path),
        unique_id: `tmonitor_${toObjectId(name)}_${toObjectId(path)}`,
        ...this.#placeOf(path),
        expire_after: expireSeconds,
      };
    }
    return JSON.stringify({
      device: { identifiers: [`tmonitor_${toObjectId(name)}`], name, sw_version: version },
      origin: { name: "tmonitor", sw_version: version },
      availability_topic: `${name}/status`,
      components,
    });
  }

  #placeOf(path: string): object {
    const { name, json } = this.#options;
    if (!json) return { state_topic: `${name}/${path}` };
    const levels = path.split("/").map((level) => `[${JSON.stringify(level)}]`);
    return { state_topic: `${name}/state`, value_template: `{{ value_json${levels.join("")} }}` };
  }
}

/** Where the message belongs. */
export function discoveryTopic(prefix: string, name: string): string {
  return `${prefix}/device/${toObjectId(name)}/config`;
}

/** Home Assistant says there when it starts. */
export function birthTopic(prefix: string): string {
  return `${prefix}/status`;
}

/** Of the letters that Home Assistant takes. Where others had to go, a hash keeps two names apart. */
function toObjectId(text: string): string {
  const id = text.replaceAll("/", "_").replace(/[^a-zA-Z0-9_-]/g, "-");
  if (id === text.replaceAll("/", "_") && !/[_]/.test(text)) return id;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
  return `${id}-${hash}`;
}

/** For people: `disks/root/percent` is "Disks root percent". */
function nameOf(path: string): string {
  const words = path.replaceAll("/", " ").replace(/^cpu\b/, "CPU");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
