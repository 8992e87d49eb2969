/** Text of strangers on a terminal: what would move its cursor, or turn the line around, is shown as its code. */

/** Control characters, separators of lines, and what changes the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const harmful = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** `line\nend` is shown as `line\u000aend`: in JSON that is the same text. */
export function toVisible(text: string): string {
  return text.replace(
    harmful,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
