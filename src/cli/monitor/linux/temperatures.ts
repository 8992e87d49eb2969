/**
 * Temperatures of the sensors that the kernel knows: those of its hardware monitors, or where there are none, of its thermal
 * zones, which are often the same sensors again. They are looked for once they are there, and again after one of them has
 * vanished. Sensors may take milliseconds to answer, so they are not read at once like the kernel's other files.
 */
import { readdir, readFile } from "node:fs/promises";
import type { Figure } from "../figure.ts";
import type { Source } from "../source.ts";
import { TopicLevels } from "../topic-level.ts";
import type { KernelFolders } from "./kernel-files.ts";

const sensorsMax = 64;

interface Sensor {
  readonly level: string;
  readonly file: string;
}

export class TemperatureSource implements Source {
  readonly name = "temperatures";
  readonly #folders: KernelFolders;
  #sensors: readonly Sensor[] = [];

  constructor(folders: KernelFolders) {
    this.#folders = folders;
  }

  async read(): Promise<readonly Figure[]> {
    if (this.#sensors.length === 0) this.#sensors = await findSensors(this.#folders.sys);
    const figures: Figure[] = [];
    for (const { level, file } of this.#sensors) {
      const text = await readText(file);
      if (text === undefined) this.#sensors = [];
      // A sensor without anything attached answers an error, or the coldest that it can say.
      else if (Number(text) > -273_150) {
        const path = `temperature/${level}`;
        figures.push({ path, kind: "celsius", value: Number(text) / 1000 });
      }
    }
    return figures;
  }
}

async function findSensors(sys: string): Promise<readonly Sensor[]> {
  const levels = new TopicLevels();
  const sensors: Sensor[] = [];
  for (const monitor of await list(`${sys}/class/hwmon`)) {
    const folder = `${sys}/class/hwmon/${monitor}`;
    const chip = (await readText(`${folder}/name`)) ?? monitor;
    for (const file of await list(folder)) {
      const number = /^temp(\d+)_input$/.exec(file)?.[1];
      if (number === undefined || (await readText(`${folder}/${file}`)) === undefined) continue;
      const label = (await readText(`${folder}/temp${number}_label`)) ?? number;
      const level = levels.take(`${chip} ${label}`.toLowerCase());
      sensors.push({ level, file: `${folder}/${file}` });
    }
  }
  if (sensors.length > 0) return sensors.slice(0, sensorsMax);
  for (const zone of await list(`${sys}/class/thermal`)) {
    const folder = `${sys}/class/thermal/${zone}`;
    const type = await readText(`${folder}/type`);
    if (!zone.startsWith("thermal_zone") || type === undefined) continue;
    if ((await readText(`${folder}/temp`)) === undefined) continue;
    sensors.push({ level: levels.take(type.toLowerCase()), file: `${folder}/temp` });
  }
  return sensors.slice(0, sensorsMax);
}

async function list(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
}

/** Undefined where there is no such file, or nothing behind it. */
async function readText(file: string): Promise<string | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.trim() || undefined;
}
