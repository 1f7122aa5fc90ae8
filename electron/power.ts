/** The machine stays awake while a run is on, and only then; the agent is told of sleep and waking. */
import type { PowerMonitor, PowerSaveBlocker } from 'electron';

export class Power {
  readonly #blocker: PowerSaveBlocker;
  #id: number | null = null;

  constructor(options: {
    blocker: PowerSaveBlocker;
    monitor: PowerMonitor;
    onSuspend: () => void;
    onResume: () => void;
  }) {
    this.#blocker = options.blocker;
    options.monitor.on('suspend', options.onSuspend);
    options.monitor.on('resume', options.onResume);
  }

  /** The screen may still go dark: only sleep is kept away. */
  keepAwake(isNeeded: boolean): void {
    if (isNeeded === (this.#id !== null)) return;
    if (this.#id === null) {
      this.#id = this.#blocker.start('prevent-app-suspension');
    } else {
      this.#blocker.stop(this.#id);
      this.#id = null;
    }
  }
}
