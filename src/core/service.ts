/** One life-cycle for everything that runs: started once, stopped once, in any order of calls. */
export interface Service {
  start(): Promise<void>;
  /** Ends gracefully; a second call waits for the first. */
  stop(): Promise<void>;
}

/** Starts services in order and stops them in the reverse order; a failed start stops what had started. */
export async function startAll(services: readonly Service[]): Promise<() => Promise<void>> {
  const started: Service[] = [];
  const stop = async (): Promise<void> => {
    for (let service = started.pop(); service !== undefined; service = started.pop()) await service.stop();
  };
  try {
    for (const service of services) {
      started.push(service);
      await service.start();
    }
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  let stopping: Promise<void> | undefined;
  return () => (stopping ??= stop());
}
