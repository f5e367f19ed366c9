/** Where data comes from and what there is of it, in one chunk. */
export { Connections } from './Connections';
export { CoveragePanel } from './CoveragePanel';
