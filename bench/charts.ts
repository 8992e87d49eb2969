/**
 * The charts of docs/performance.md as SVG, drawn by echarts without a browser, for light and for dark pages. The
 * background is the page's own.
 */
import { type EChartsOption, init } from "echarts";
import { type BrokerName, brokerNames } from "./brokers.ts";
import { showNumber } from "./markdown.ts";
import { figuresOf, type Results, spreadOf } from "./results.ts";
import { scenarios } from "./scenarios.ts";
import { listTargets, type Target } from "./targets.ts";

export type ChartName = "targets" | "cpu";

export const chartTitles: Readonly<Record<ChartName, string>> = {
  targets: "What was measured, as a part of each target",
  cpu: "CPU for each delivered message, in microseconds, by broker",
};

interface Palette {
  readonly text: string;
  readonly faint: string;
  readonly brokers: Readonly<Record<BrokerName, string>>;
  readonly met: string;
  readonly missed: string;
}

const palettes: Readonly<Record<"light" | "dark", Palette>> = {
  light: {
    text: "#1f2328",
    faint: "#d1d9e0",
    brokers: {
      tStack: "#0969da",
      "nats-server": "#bc4c00",
      mosquitto: "#8250df",
      aedes: "#59636e",
    },
    met: "#0969da",
    missed: "#cf222e",
  },
  dark: {
    text: "#f0f6fc",
    faint: "#3d444d",
    brokers: {
      tStack: "#4493f8",
      "nats-server": "#db6d28",
      mosquitto: "#ab7df8",
      aedes: "#9198a1",
    },
    met: "#4493f8",
    missed: "#f85149",
  },
};

/** Colours alone do not tell everybody the brokers apart. */
const symbols: Readonly<Record<BrokerName, string>> = {
  tStack: "circle",
  "nats-server": "rect",
  mosquitto: "triangle",
  aedes: "diamond",
};

const width = 880;
const rowHeight = 36;

/** By their path in docs/. */
export function renderCharts(results: Results): Map<string, string> {
  const files = new Map<string, string>();
  for (const [shade, palette] of Object.entries(palettes)) {
    const targets = listTargets(results);
    const cpu = drawCpu(results, palette);
    files.set(
      `performance/targets-${shade}.svg`,
      render(drawTargets(targets, palette), targets.length),
    );
    files.set(`performance/cpu-${shade}.svg`, render(cpu, scenarios.length));
  }
  return files;
}

function render(option: EChartsOption, rows: number): string {
  const height = 110 + rows * rowHeight;
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  chart.setOption({ animation: false, backgroundColor: "transparent", ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  // Its styles are for the pointer, and their names differ from one process to the next.
  return `${svg.replace(/<style[\s\S]*<\/style>\n?/, "").replaceAll(/ class="zr[\w-]*"/g, "")}\n`;
}

function drawFrame(title: string, palette: Palette): EChartsOption {
  return {
    title: {
      text: title,
      left: 8,
      top: 4,
      textStyle: { color: palette.text, fontSize: 15, fontWeight: "bold" },
    },
    grid: { left: 190, right: 40, top: 70, bottom: 40 },
  };
}

function rowAxis(names: readonly string[], palette: Palette) {
  return {
    type: "category" as const,
    data: [...names],
    inverse: true,
    axisTick: { show: false },
    axisLine: { show: false },
    axisLabel: { color: palette.text, fontSize: 13, width: 180, overflow: "break" as const },
    splitLine: { show: true, lineStyle: { color: palette.faint, type: "dotted" as const } },
  };
}

/** One row for each scenario, one mark for each broker: on a logarithmic axis a bar would have no foot to stand on. */
function drawCpu(results: Results, palette: Palette): EChartsOption {
  const measured = scenarios.filter(({ name }) => results.speed[name] !== undefined);
  return {
    ...drawFrame(
      "CPU for each delivered message, microseconds (logarithmic; less is better)",
      palette,
    ),
    legend: { top: 32, left: 8, itemGap: 24, textStyle: { color: palette.text, fontSize: 13 } },
    xAxis: {
      type: "log",
      axisLabel: { color: palette.text, formatter: (value: number) => `${value} us` },
      splitLine: { lineStyle: { color: palette.faint } },
      axisLine: { show: false },
    },
    yAxis: rowAxis(
      measured.map(({ title }) => title),
      palette,
    ),
    series: brokerNames.map((broker) => ({
      type: "scatter" as const,
      name: broker,
      symbol: symbols[broker],
      symbolSize: broker === "tStack" ? 15 : 12,
      itemStyle: { color: palette.brokers[broker], opacity: 1 },
      label: {
        show: broker === "tStack",
        position: "top" as const,
        distance: 2,
        color: palette.brokers.tStack,
        formatter: ({ value }: { value: unknown }) => showNumber((value as number[])[0]),
      },
      data: measured.flatMap(({ name, title }) => {
        const figures = figuresOf(results.speed[name], broker);
        if (figures.length === 0) return [];
        const { median } = spreadOf(figures.map(({ cpuMicroseconds }) => cpuMicroseconds));
        return [[median, title]];
      }),
    })),
  };
}

/**
 * A bar for each target: its median as a part of what is allowed - of what is the least to be reached, the other way
 * round -, with the figure itself at the right.
 */
function drawTargets(targets: readonly Target[], palette: Palette): EChartsOption {
  const names = targets.map(({ name }) => name);
  const figures = targets.map(({ measured, unit }) => `${showNumber(measured.median)} ${unit}`);
  return {
    ...drawFrame("Measured, as a part of the target (less is better)", palette),
    grid: { left: 190, right: 190, top: 70, bottom: 40 },
    xAxis: {
      type: "value",
      axisLabel: { color: palette.text, formatter: "{value} %" },
      splitLine: { lineStyle: { color: palette.faint } },
    },
    yAxis: [rowAxis(names, palette), { ...rowAxis(figures, palette), position: "right" }],
    series: [
      {
        type: "bar",
        barWidth: 16,
        data: targets.map(({ measured: { median }, target, isLeast, isMet }) => ({
          value: Math.round(1000 * (isLeast ? target / median : median / target)) / 10,
          itemStyle: { color: isMet ? palette.met : palette.missed },
        })),
        markLine: {
          silent: true,
          symbol: "none",
          label: { formatter: "target", color: palette.text, position: "start" },
          lineStyle: { color: palette.text, type: "solid", width: 1.5 },
          data: [{ xAxis: 100 }],
        },
      },
    ],
  };
}
