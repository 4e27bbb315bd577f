/** What a server is started with; each is a flag of `gatelodge dev`, whose help says more. */
export interface Options {
  /** A file that is applied first. */
  apply?: string;
  /** Who approves every authorization and device at once, without a page. */
  autoApprove?: string;
  /** The time at which the clock stands, such as `2030-01-01T00:00:00Z`. */
  clock?: string;
  /** A configuration file. */
  config?: string;
  /** Whether a client_id that is not known becomes a client. */
  openClients?: boolean;
  /** The port; a free one unless it is named. */
  port?: number;
  /** Another program than that of this package. */
  program?: string;
  /** The same keys, ids, codes and tokens in each run. */
  seed?: string | number;
}

/** The first line of the server. */
export interface Ready {
  auto_approve: string | null;
  control: string;
  issuer: string;
  listen: string[];
  now: string;
  open_clients: boolean;
  pid: number;
  seed: string | null;
  token: string;
}

/** What happens to the next requests to a path. */
export interface Fault {
  /** Milliseconds that each waits. */
  delay_ms?: number;
  /** An error of OAuth; at the authorization endpoint it goes to the client. */
  error?: string;
  /** Whether they hang until `clearFaults`. */
  hang?: boolean;
  method?: string;
  path: string;
  status?: number;
  /** How many; 1 unless it is named. */
  times?: number;
}

/** What is to end, by its value or its id: one of them. */
export interface Ending {
  code?: string;
  device_code?: string;
  grant?: string;
  session?: string;
  token?: string;
}

/** A request that the server received. */
export interface Received {
  method: string;
  path: string;
  status: number;
  [member: string]: unknown;
}

/** An error of a start or of the control API. */
export class GatelodgeError extends Error {
  body?: unknown;
  status?: number;
}

/** A server that runs. */
export interface Gatelodge extends AsyncDisposable {
  readonly control: string;
  readonly issuer: string;
  readonly log: string;
  readonly ready: Ready;
  readonly token: string;
  advance(time: string): Promise<unknown>;
  approveAs(user: string | null): Promise<unknown>;
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  clearFaults(): Promise<unknown>;
  expire(what: Ending): Promise<unknown>;
  fault(fault: Fault): Promise<unknown>;
  requests(): Promise<Received[]>;
  reset(): Promise<unknown>;
  revoke(what: Ending): Promise<unknown>;
  setClock(time: string | Date): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts a server, and gives it once it is ready. It ends with `stop`, or with this process. */
export function startGatelodge(options?: Options): Promise<Gatelodge>;
