/** Writes the pages of `docs/` that are made from the code; a test fails when they are out of date. */
import { writeFileSync } from 'node:fs';
import { routingRulesPage } from './rules.ts';

writeFileSync(new URL('../../docs/routing-rules.md', import.meta.url), routingRulesPage());
