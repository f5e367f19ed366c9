/** One chunk for all panels that analyse a chart. */
export { SimilarPanel } from './SimilarPanel';
