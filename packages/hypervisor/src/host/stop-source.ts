/**
 * What can end a machine from outside: a limit, a signal, or another thread's wish.
 *
 * One source serves one machine. It is armed before the run, ends a guest that never exits as well as a host call
 * that blocks (a read of a pipe that stays open), and says afterwards why it fired. On Linux it is the StopSource of
 * kvm-bindings, elsewhere the one of portable-stop.ts.
 */

/** Why a source fired: another thread's stop(), a limit by name, or a watched signal. */
export type StopReason = "requested" | "wall" | "cpu" | `SIG${string}`;

export interface StopSource {
  /** Names this source for another thread of the process; structured-cloneable. */
  readonly id: unknown;
  /** Why it fired, or undefined. */
  readonly reason: StopReason | undefined;
  /** Fires, from any thread that has attached. */
  stop(): void;
  /** Fires after `ms` milliseconds; undefined disarms. */
  armWall(ms: number | undefined): void;
  /** Fires once this thread has used `ms` milliseconds of processor time from now; undefined disarms. */
  armCpu(ms: number | undefined): void;
  /** Fires when the process gets one of these signals, in place of what they did before. */
  watchSignals(names: readonly StopSignal[]): void;
  close(): void;
}

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2";
