// The commands that the documentation shows. A fenced block `sh` is a promise and is run; one that cannot run in a
// test says why on its opening line: ```sh not-run: opens a window

const FENCE = /^```(\S*)[ \t]*(.*)$/;

/** The shell blocks of a Markdown text: `{ line, code, skip }`, `skip` being the reason not to run it. */
export function shellBlocks(markdown) {
  const blocks = [];
  let open;
  markdown.split('\n').forEach((text, index) => {
    const fence = FENCE.exec(text);
    if (!open && fence) {
      open = { language: fence[1], note: fence[2].trim(), line: index + 2, code: [] };
    } else if (open && text.trim() === '```') {
      const block = finish(open);
      if (block) blocks.push(block);
      open = undefined;
    } else if (open) {
      open.code.push(text);
    }
  });
  if (open) throw new Error(`line ${open.line}: the block is not closed`);
  return blocks;
}

function finish({ language, note, line, code }) {
  if (['bash', 'shell', 'console', 'zsh'].includes(language)) {
    throw new Error(`line ${line}: mark shell commands as \`sh\`, so that they are run`);
  }
  if (language !== 'sh') return undefined;
  const skip = /^not-run: (\S.*)$/.exec(note)?.[1];
  if (note && !skip) throw new Error(`line ${line}: "${note}" is not "not-run: <reason>"`);
  return { line, code: code.join('\n'), skip };
}
