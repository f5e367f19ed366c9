// npm test: installs what the tests need, then runs every check of checks.mjs and says at the end what failed.
//   npm test -- --list             the names
//   npm test -- --only clippy,docs only these (and what they need)
import * as build from './lib/build.mjs';
import { bold, dim, green, heading, red, script, seconds, Stop } from './lib/run.mjs';
import { ensureBrowser, ensureSystem } from './lib/system.mjs';
import { closingLine, plan, runChecks } from './lib/plan.mjs';
import { CHECKS } from './checks.mjs';

await script(async () => {
  const args = process.argv.slice(2);
  if (args.includes('--list')) {
    for (const check of CHECKS) console.log(`${check.name.padEnd(14)} ${check.title}`);
    return 0;
  }
  const only = args[args.indexOf('--only') + 1];
  const checks = plan(CHECKS, args.includes('--only') ? only.split(',') : undefined);

  const began = performance.now();
  heading('What the tests need');
  await ensureSystem('engine', 'desktop', 'test');
  await build.npmPackages();
  await ensureBrowser();

  const results = await runChecks(checks, {
    begin: (check) => heading(check.title),
    explain: (cause) => console.error(cause instanceof Stop ? cause.message : cause),
  });

  heading('Summary');
  for (const { check, ok, took, error } of results) {
    console.log(`${ok ? green('pass') : red('FAIL')}  ${check.title.padEnd(52)} ${dim(`${took} s`)}`);
    if (error) console.log(`      ${red(error)}`);
  }
  console.log(bold(`\n${seconds(began)} s in total`));
  console.log(closingLine(results));
  return results.every((result) => result.ok) ? 0 : 1;
});
