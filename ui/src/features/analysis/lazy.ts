/** One chunk for all panels that analyse a chart. */
export { NarrativePanel } from './NarrativePanel';
export { SimilarPanel } from './SimilarPanel';
