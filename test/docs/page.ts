/**
 * Reads the commands out of a page for people, by three conventions that a reader need not know:
 *
 * - a `sh` block begins with a comment that names its terminal, and holds one command on each line;
 * - `# terminal 2: Ctrl-C` and `# terminal 2: close the window` are what the reader does there;
 * - a `text terminal 2` block is everything that the last command of that terminal has printed by then; `...` stands
 *   for what differs from run to run.
 */

export type Step = {
  /** In the page, from 1. */
  readonly line: number;
  readonly terminal: number;
} & (
  | { readonly kind: "command"; readonly command: string }
  | { readonly kind: "interrupt" }
  | { readonly kind: "hangUp" }
  | { readonly kind: "expect"; readonly output: string }
);

export interface Section {
  readonly heading: string;
  readonly steps: readonly Step[];
}

const actions = { "Ctrl-C": "interrupt", "close the window": "hangUp" } as const;

/** Throws at a block that follows none of the conventions, so that none is passed over. */
export function readPage(text: string): Section[] {
  const sections: { heading: string; steps: Step[] }[] = [];
  let block: { info: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.startsWith("```") && block === undefined) {
      block = { info: line.slice(3), line: index + 2, lines: [] };
    } else if (line === "```" && block !== undefined) {
      sections.at(-1)?.steps.push(...readBlock(block.info, block.line, block.lines));
      block = undefined;
    } else if (block !== undefined) {
      block.lines.push(line);
    } else if (/^##? /.test(line)) {
      sections.push({ heading: line.replace(/^#+ /, ""), steps: [] });
    }
  }
  return sections.filter(({ steps }) => steps.length > 0);
}

function readBlock(info: string, line: number, lines: readonly string[]): Step[] {
  const expected = /^text terminal (\d+)$/.exec(info);
  if (expected !== null) {
    const output = lines.map((text) => `${text}\n`).join("");
    return [{ line, terminal: Number(expected[1]), kind: "expect", output }];
  }
  const [first = "", ...commands] = lines;
  const title = /^# terminal (\d+)(?:: (.+))?$/.exec(first);
  if (info !== "sh" || title === null) {
    throw new Error(`line ${line}: a block that names no terminal: ${info} ${first}`);
  }
  const terminal = Number(title[1]);
  const action = title[2];
  if (action === undefined) {
    return commands.map((command, index) => {
      return { line: line + 1 + index, terminal, kind: "command", command };
    });
  }
  if (!(action in actions)) throw new Error(`line ${line}: nobody knows how to "${action}"`);
  return [{ line, terminal, kind: actions[action as keyof typeof actions] }];
}
