/** The Monitor workspace in one chunk: uPlot comes with it and never with the first screen. */
export { HealthPanel } from './HealthPanel';
export { Latency } from './Latency';
export { Audit, Jobs } from './Tables';
export { Resources, Throughput } from './Throughput';
