import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import type Registry from 'prom-client/lib/registry.js';

/**
 * The process itself, under the names that every Prometheus client uses. Read at each scrape: prom-client's
 * own set also watches the event loop and the garbage collector, which costs an idle agent its rest.
 */
export function addProcessGauges(registry: Registry): void {
  const startedSeconds = Math.round(Date.now() / 1_000 - process.uptime());
  const gauge = (name: string, help: string, read: () => number): void => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  };
  gauge('process_resident_memory_bytes', 'Resident memory of the agent process', () =>
    process.memoryUsage.rss(),
  );
  gauge('process_start_time_seconds', 'When the agent process started, since 1970', () => startedSeconds);
  registry.registerMetric(
    new Counter({
      name: 'process_cpu_seconds_total',
      help: 'Processor time of the agent process, user and system',
      registers: [],
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    }),
  );
}
