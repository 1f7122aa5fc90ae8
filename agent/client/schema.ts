/**
 * What the local API takes and answers. Made from the routes' own schemas: change them in agent/api/routes,
 * then run `npm run generate`.
 */
export interface paths {
  '/metrics': {
    /**
     * Metrics in the text format of Prometheus
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'text/plain': string;
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/version': {
    /**
     * Version of the agent
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            name: 'local-browser-agent';
            version: string;
            api: 'v1';
            node: string;
            platform: string;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/health': {
    /**
     * Whether database, browser, worker, upload queue, AWS services and disk are well
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            /** All checks are well. */
            ok: boolean;
            checks: {
              database: {
                ok: boolean;
                /** For a person. */
                detail: string;
              };
              browser: {
                ok: boolean;
                /** For a person. */
                detail: string;
              };
              worker: {
                ok: boolean;
                /** For a person. */
                detail: string;
                state: string;
              };
              queue: {
                ok: boolean;
                /** For a person. */
                detail: string;
                pending: number;
                failed: number;
              };
              services: {
                ok: boolean;
                /** For a person. */
                detail: string;
                items: {
                  service: 'sfn' | 's3' | 'ssm' | 'secretsmanager' | 'sts';
                  /** Of its circuit breaker; `open`: not asked for a while. */
                  state: 'closed' | 'half_open' | 'open';
                  /** Of this state; while not `closed`: when it began to be held back. */
                  since: string;
                  last_error: string | null;
                  retry_at: string | null;
                }[];
              };
              disk: {
                ok: boolean;
                /** For a person. */
                detail: string;
                free_bytes: number;
                total_bytes: number;
              };
            };
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/summary': {
    /**
     * What it does now, the numbers of the day, and what needs a person
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          /** RFC 3339, UTC. Default: the last midnight of this machine. */
          since?: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['Summary'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/runs': {
    /**
     * List runs, newest first
     *
     * Page by page with `cursor`; or, for a list that is scrolled, with `offset` and, once, `count=true`. New runs move an offset, never a cursor.
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          /** Part of the name of script, profile or error, in any case; or how the id of the run begins. */
          q?: string;
          /** One of these, with commas between: `failed,lost`. */
          state?: string;
          /** One of these, with commas between. */
          level?: string;
          script_name?: string;
          profile?: string;
          /** Queued at this time or later. RFC 3339, UTC. */
          from?: string;
          /** Queued before this time. RFC 3339, UTC. */
          to?: string;
          has_error?: 'true' | 'false';
          limit?: number;
          /** `next_cursor` of the page before. */
          cursor?: string;
          /** Leave out so many first. */
          offset?: number;
          /** Say `total` as well. */
          count?: 'true' | 'false';
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['Run'][];
            /** Null: this is the last page. */
            next_cursor: string | null;
            /** How many runs match in all; null unless `count=true` asks for it. */
            total: number | null;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * Start a run
     *
     * Answers as soon as the run is on record; it goes on by itself.
     *
     * Scope: `run`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': components['schemas']['StartRunInput'];
        };
      };
      responses: {
        201: Answer<{
          'application/json': components['schemas']['Run'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        422: Refused;
        429: Refused;
        500: Refused;
        503: Refused;
      };
    };
  };
  '/api/v1/runs/{run_id}': {
    /**
     * One run with its steps and, when it has ended, its result
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        path: {
          /** Id of a run; sorts by time. */
          run_id: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['RunDetail'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/runs/{run_id}/artifacts': {
    /**
     * The evidence of a run
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        path: {
          /** Id of a run; sorts by time. */
          run_id: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['Artifact'][];
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/runs/{run_id}/artifacts/{artifact_id}': {
    /**
     * One piece of evidence, whole or in part (`Range`)
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        path: {
          /** Id of a run; sorts by time. */
          run_id: string;
          artifact_id: number;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          '*/*': unknown;
        }>;
        206: Answer<{
          '*/*': unknown;
        }>;
        304: Empty;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        416: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/runs/{run_id}/cancel': {
    /**
     * Cancel a run
     *
     * It ends soon, with the error `BrowserAgent.Cancelled`; a task is reported as failed with it.
     *
     * Scope: `run`.
     */
    post: {
      parameters: {
        path: {
          /** Id of a run; sorts by time. */
          run_id: string;
        };
      };
      requestBody?: never;
      responses: {
        202: Answer<{
          'application/json': components['schemas']['Run'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/runs/{run_id}/pause': {
    /**
     * Pause a run before its next action
     *
     * Page, lease and place are kept, and its time does not run, until it is resumed, or fails after `run.max_pause_seconds`. Pausing it twice is pausing it once.
     *
     * Scope: `run`.
     */
    post: {
      parameters: {
        path: {
          /** Id of a run; sorts by time. */
          run_id: string;
        };
      };
      requestBody?: never;
      responses: {
        202: Answer<{
          'application/json': components['schemas']['Run'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/runs/{run_id}/step': {
    /**
     * Let a paused run do one step, then stand still again
     *
     * A step that only steers, such as a loop, counts as one; those inside it follow singly.
     *
     * Scope: `run`.
     */
    post: {
      parameters: {
        path: {
          /** Id of a run; sorts by time. */
          run_id: string;
        };
      };
      requestBody?: never;
      responses: {
        202: Answer<{
          'application/json': components['schemas']['Run'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/runs/{run_id}/resume': {
    /**
     * Let a run go on that is paused, or that waits for a person
     *
     * Ends the pause, if it is paused; otherwise says that the person is done, if it waits for one. `of` says which of the two is meant, and nothing else is touched.
     *
     * Scope: `run`.
     */
    post: {
      parameters: {
        query?: {
          /** Only the pause, or only the wait for a person. Absent: the pause first. */
          of?: 'pause' | 'person';
        };
        path: {
          /** Id of a run; sorts by time. */
          run_id: string;
        };
      };
      requestBody?: never;
      responses: {
        202: Answer<{
          'application/json': components['schemas']['Run'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/runs/{run_id}/again': {
    /**
     * Run it again: same script, variables, level and profile
     *
     * The script is the one that it ran, also when the stored one has changed since. Secrets are not kept: what is missing is named in a 409.
     *
     * Scope: `run`.
     */
    post: {
      parameters: {
        path: {
          /** Id of a run; sorts by time. */
          run_id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['RunAgainInput'];
        };
      };
      responses: {
        201: Answer<{
          'application/json': components['schemas']['Run'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
        503: Refused;
      };
    };
  };
  '/api/v1/runs/{run_id}/test': {
    /**
     * The run as a script that checks whether all is as it was
     *
     * Its variables are fixed, and an assertion at the end compares what each step brought. What is a secret is left out.
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        path: {
          /** Id of a run; sorts by time. */
          run_id: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': Record<string, unknown>;
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/runs/{run_id}/live-tickets': {
    /**
     * A ticket to watch a run, or to act in it
     *
     * A `viewer` sees the page; an `operator` may also take over, which needs a key with the scope `operate`. The ticket ends with its time, its use, its run and its key.
     *
     * Scope: `read`.
     */
    post: {
      parameters: {
        path: {
          /** Id of a run; sorts by time. */
          run_id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['CreateLiveTicketInput'];
        };
      };
      responses: {
        201: Answer<{
          'application/json': components['schemas']['LiveTicket'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/sessions': {
    /**
     * List sessions, newest first
     *
     * Those that the key opened; with the scope `operate` those of all keys.
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          state?: 'open' | 'ended';
          limit?: number;
          /** `next_cursor` of the page before. */
          cursor?: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['Session'][];
            /** Null: this is the last page. */
            next_cursor: string | null;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * Open a browser that stays open from run to run
     *
     * Answers when the browser is open. It holds its profile until it ends. How many a key may have open is a setting of its tier.
     *
     * Scope: `run`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': components['schemas']['OpenSessionInput'];
        };
      };
      responses: {
        201: Answer<{
          'application/json': components['schemas']['Session'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
        503: Refused;
      };
    };
  };
  '/api/v1/sessions/{session_id}': {
    /**
     * One session
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        path: {
          /** Id of a session; sorts by time. */
          session_id: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['Session'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * End a session
     *
     * Its run is cancelled, and so is what waits in its queue. Answers when its browser is closed.
     *
     * Scope: `run`.
     */
    delete: {
      parameters: {
        path: {
          /** Id of a session; sorts by time. */
          session_id: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['Session'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/sessions/{session_id}/messages': {
    /**
     * The messages of a session, newest first
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** `next_cursor` of the page before. */
          cursor?: string;
        };
        path: {
          /** Id of a session; sorts by time. */
          session_id: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['SessionMessage'][];
            /** Null: this is the last page. */
            next_cursor: string | null;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * Send a script or a step to a session
     *
     * It waits its turn, then becomes a run in the page where the one before left off, with cookies and tabs as they are.
     *
     * Scope: `run`.
     */
    post: {
      parameters: {
        path: {
          /** Id of a session; sorts by time. */
          session_id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['SendMessageInput'];
        };
      };
      responses: {
        202: Answer<{
          'application/json': components['schemas']['SessionMessage'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        422: Refused;
        429: Refused;
        500: Refused;
        503: Refused;
      };
    };
  };
  '/api/v1/sessions/{session_id}/messages/{message_id}': {
    /**
     * One message, with the result of its run
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          /** Answer when it has ended, at the latest after so long. */
          wait_seconds?: number;
        };
        path: {
          /** Id of a session; sorts by time. */
          session_id: string;
          /** Id of a message; sorts by time. */
          message_id: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['SessionMessageDetail'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/events': {
    /**
     * Events as they happen, as server-sent events
     *
     * Each frame has `id`, `event` (the type) and `data` (an `Event`). With `Last-Event-ID` it goes on behind that id, from history; when history does not reach back so far, the first event is `agent.history_lost`. A comment every 15 s shows that it lives.
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          /** Types and globs with commas between: `run.*,step.finished`. Default: all. */
          types?: string;
          /** Id of a run; sorts by time. */
          run_id?: string;
          min_priority?: 'low' | 'normal' | 'high';
          /** The last id that the client has; 0: all that history holds. `Last-Event-ID` is stronger. Default: only what comes from now on. */
          after?: number;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'text/event-stream': string;
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/events/history': {
    /**
     * Events of the past, page by page
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          /** Types and globs with commas between: `run.*,step.finished`. Default: all. */
          types?: string;
          /** Id of a run; sorts by time. */
          run_id?: string;
          min_priority?: 'low' | 'normal' | 'high';
          order?: 'newest_first' | 'oldest_first';
          /** `next_cursor` of the page before. */
          cursor?: string;
          limit?: number;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['Event'][];
            /** Null: this is the last page. */
            next_cursor: string | null;
            /** The last id that was given when this was asked for: `after` to follow what comes behind it. */
            newest_id: number;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/events/ws': {
    /**
     * Events over a WebSocket: subscribe, filter, acknowledge
     *
     * Subprotocol `lba.events.v1`. A browser, which cannot send `Authorization`, offers its key as a second subprotocol `bearer.<key>`. Messages are JSON texts: the client sends `EventsClientMessage`, the agent `EventsServerMessage`.
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        101: Empty;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        426: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/profiles': {
    /**
     * List profiles, most recently used first
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['Profile'][];
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * Create a profile
     *
     * Scope: `operate`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': {
            name: string;
            tags?: string[];
            description?: string;
          };
        };
      };
      responses: {
        201: Answer<{
          'application/json': components['schemas']['Profile'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/profiles/{name}': {
    /**
     * One profile
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        path: {
          name: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['Profile'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * Change name, tags or description of a profile
     *
     * Scripts name profiles: those that name this one are not changed with it.
     *
     * Scope: `operate`.
     */
    patch: {
      parameters: {
        path: {
          name: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            name?: string;
            tags?: string[];
            description?: string;
          };
        };
      };
      responses: {
        200: Answer<{
          'application/json': components['schemas']['Profile'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * Delete a profile with all that is signed in to in it
     *
     * Scope: `operate`.
     */
    delete: {
      parameters: {
        path: {
          name: string;
        };
      };
      requestBody?: never;
      responses: {
        204: Empty;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/profiles/{name}/tags': {
    /**
     * Replace the tags of a profile
     *
     * Scope: `operate`.
     */
    put: {
      parameters: {
        path: {
          name: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            tags: string[];
          };
        };
      };
      responses: {
        200: Answer<{
          'application/json': components['schemas']['Profile'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/profiles/{name}/clone': {
    /**
     * A new profile with the same sign-ins in it
     *
     * Scope: `operate`.
     */
    post: {
      parameters: {
        path: {
          name: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            /** Of the copy. */
            name: string;
          };
        };
      };
      responses: {
        201: Answer<{
          'application/json': components['schemas']['Profile'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/profiles/{name}/sign-in': {
    /**
     * The newest sign-in of a profile since the agent began
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        path: {
          name: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['SignIn'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * Open a window of the real browser on a profile, for a person to sign in
     *
     * Answers when the window is there, or when the profile is in use and has to be waited for (`waiting`). One that is under way is answered as it is. Closing the window by hand is as good as `done`.
     *
     * Scope: `operate`.
     */
    post: {
      parameters: {
        path: {
          name: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            /** Opened first. */
            url?: string;
          };
        };
      };
      responses: {
        202: Answer<{
          'application/json': components['schemas']['SignIn'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
        503: Refused;
      };
    };
    /**
     * Take a sign-in back: close the window, or wait no longer
     *
     * Scope: `operate`.
     */
    delete: {
      parameters: {
        path: {
          name: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['SignIn'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/profiles/{name}/sign-in/done': {
    /**
     * The person has signed in: close the window, and note the time
     *
     * Scope: `operate`.
     */
    post: {
      parameters: {
        path: {
          name: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['SignIn'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/profiles/{name}/check': {
    /**
     * Look whether a profile is signed in
     *
     * Opens the page in a browser that nobody sees, and looks for the selector or text. What to look for is kept with the profile: an empty body looks again.
     *
     * Scope: `operate`.
     */
    post: {
      parameters: {
        path: {
          name: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            /** A page that only who is signed in gets to see. */
            url?: string;
            /** Something on it that nobody else sees. */
            selector?: string;
            /** The same as words. */
            text?: string;
          };
        };
      };
      responses: {
        200: Answer<{
          'application/json': components['schemas']['SignInChecked'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/profiles/{name}/export': {
    /**
     * Export a profile with its sign-ins as an encrypted file
     *
     * Anybody who has the file and the passphrase is signed in like its owner. docs/profile-files.md has the content and the format.
     *
     * Scope: `operate`.
     */
    post: {
      parameters: {
        path: {
          name: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            passphrase: string;
          };
        };
      };
      responses: {
        200: Answer<{
          '*/*': unknown;
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/profiles/import': {
    /**
     * Import a profile from an exported file
     *
     * The body is the file, as `application/octet-stream`; the header `lba-passphrase` is the passphrase, UTF-8 as base64. Only the data of sites, cookies and a few preferences are taken; `left_out` counts the rest.
     *
     * Scope: `admin`.
     */
    post: {
      parameters: {
        query: {
          /** Of the new profile. */
          name: string;
        };
      };
      requestBody?: never;
      responses: {
        201: Answer<{
          'application/json': components['schemas']['ImportedProfile'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/scripts': {
    /**
     * List stored scripts
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['StoredScript'][];
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/scripts/validate': {
    /**
     * Every problem of a script
     *
     * Sent as text, problems come with line and column.
     *
     * Scope: `read`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': {
            script: string | Record<string, unknown>;
          };
        };
      };
      responses: {
        200: Answer<{
          'application/json': {
            valid: boolean;
            problems: {
              severity: 'error' | 'warning';
              /** JSON path into the script, e.g. `$.steps[2].action`. */
              path: string;
              /** One-based; when the script came as text. */
              line?: number;
              column?: number;
              message: string;
              /** What was probably meant. */
              suggestion?: string;
            }[];
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/scripts/{reference}': {
    /**
     * A stored script
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        path: {
          /** `name` or `name@version`. */
          reference: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': Record<string, unknown>;
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        421: Refused;
        422: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * Store a script, or replace one
     *
     * Scope: `operate`.
     */
    put: {
      parameters: {
        path: {
          /** `name` or `name@version`. */
          reference: string;
        };
      };
      requestBody: {
        content: {
          'application/json': Record<string, unknown>;
        };
      };
      responses: {
        200: Answer<{
          'application/json': components['schemas']['StoredScript'];
        }>;
        201: Answer<{
          'application/json': components['schemas']['StoredScript'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        422: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * Remove a stored script
     *
     * Scope: `operate`.
     */
    delete: {
      parameters: {
        path: {
          /** `name` or `name@version`. */
          reference: string;
        };
      };
      requestBody?: never;
      responses: {
        204: Empty;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/scripts/schema': {
    /**
     * The JSON Schema of scripts, for editors
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': Record<string, unknown>;
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/scripts/{reference}/versions': {
    /**
     * What a stored script is and was, newest first
     *
     * The last 100 texts, also of a script that was removed.
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        path: {
          /** `name` or `name@version`. */
          reference: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['ScriptVersion'][];
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/scripts/{reference}/versions/{version_id}': {
    /**
     * One text of a stored script
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        path: {
          /** `name` or `name@version`. */
          reference: string;
          version_id: number;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            version_id: number;
            /** RFC 3339, UTC. */
            saved_at: string;
            /** Who stored it; null: the file itself was changed. */
            by: {
              kind: string;
              id: string;
            } | null;
            sha256: string;
            size_bytes: number;
            /** This is what is stored now. */
            current: boolean;
            text: string;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/script-samples': {
    /**
     * Scripts to begin with
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['ScriptSample'][];
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/settings': {
    /**
     * Every setting with its source
     *
     * The answer’s `ETag` names the state of settings.yaml, for `If-Match`.
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['Setting'][];
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * Change settings: all that are named, or none
     *
     * Written to settings.yaml, whose comments stay. A value is read as the command line reads it. `If-Match` with the `ETag` of a list: only when nobody has changed the file since. Settings that decide which program runs or which files are read are the owner’s alone.
     *
     * Scope: `admin`.
     */
    patch: {
      parameters: {
        header?: {
          'if-match'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': Record<string, unknown>;
        };
      };
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['ChangedSetting'][];
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        412: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/settings/{key}': {
    /**
     * One setting
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        path: {
          key: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['Setting'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/uploads': {
    /**
     * List uploads, newest first
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          state?: 'pending' | 'done' | 'failed';
          /** Id of a run; sorts by time. */
          run_id?: string;
          limit?: number;
          /** `next_cursor` of the page before. */
          cursor?: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['Upload'][];
            /** Null: this is the last page. */
            next_cursor: string | null;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/uploads/counts': {
    /**
     * How many uploads wait, are done and have failed
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          /** Id of a run; sorts by time. */
          run_id?: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            pending: number;
            done: number;
            failed: number;
            /** Why something waits after an attempt; null: nothing does. */
            last_error: string | null;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/uploads/retry': {
    /**
     * Try waiting and failed uploads again now: all, or those of one run
     *
     * Scope: `operate`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': {
            /** Id of a run; sorts by time. */
            run_id?: string;
          };
        };
      };
      responses: {
        200: Answer<{
          'application/json': {
            due: number;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/log': {
    /**
     * Lines of the log, newest first
     *
     * From the log file (`log.file`) and the parts of it that were put aside. A page may have fewer lines than asked for, and still a `next_cursor`: so much is looked through at a time.
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          /** This level or above. */
          level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
          /** In message or fields, in any case. */
          q?: string;
          /** Id of a run; sorts by time. */
          run_id?: string;
          limit?: number;
          /** `next_cursor` of the page before. */
          cursor?: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['LogLine'][];
            /** Null: this is the last page. */
            next_cursor: string | null;
            /** False: `log.file` is off, and there is only what is followed. */
            is_kept: boolean;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/log/follow': {
    /**
     * The log as it is written, as server-sent events
     *
     * Events `line` with a `LogLine` as data; `lost` with how many lines a reader was too slow for. A comment every 15 s shows that it lives.
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          /** This level or above. */
          level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
          /** In message or fields, in any case. */
          q?: string;
          /** Id of a run; sorts by time. */
          run_id?: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'text/event-stream': string;
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/diagnostics': {
    /**
     * A bundle for whoever helps, as a ZIP
     *
     * Versions, settings with their sources, health, checks of machine and browser, the end of log, audit log and events, the last runs without their data. Secrets are left out.
     *
     * Scope: `operate`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          '*/*': unknown;
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/agent': {
    /**
     * What the agent is doing
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['AgentStatus'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/agent/restart': {
    /**
     * Start the agent anew in the same process, with the settings as they are now
     *
     * Address and owner’s key stay. Followers of events are told (`agent.restarting`) and connect again. While something runs it is refused, unless `when_idle` asks to wait for that: then nothing new is begun until it has ended. An open poll of Step Functions is never broken off, so this may take a minute.
     *
     * Scope: `operate`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': {
            /** Finish what is at hand first. */
            when_idle?: boolean;
          } | null;
        };
      };
      responses: {
        202: Answer<{
          'application/json': components['schemas']['Restart'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/agent/pause': {
    /**
     * Take no new tasks until it is resumed
     *
     * Scope: `operate`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        202: Answer<{
          'application/json': components['schemas']['AgentStatus'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/agent/resume': {
    /**
     * Take tasks again
     *
     * Scope: `operate`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        202: Answer<{
          'application/json': components['schemas']['AgentStatus'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/agent/drain': {
    /**
     * Finish the tasks at hand, then end the agent
     *
     * Scope: `operate`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        202: Answer<{
          'application/json': components['schemas']['AgentStatus'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/setup': {
    /**
     * How far the setup is
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['Setup'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/setup/progress': {
    /**
     * Keep what the wizard knows, so that leaving half-way loses nothing
     *
     * Scope: `admin`.
     */
    put: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': {
            progress: Record<string, unknown>;
          };
        };
      };
      responses: {
        200: Answer<{
          'application/json': {
            /** As the wizard saved it; empty when it never did. */
            progress: Record<string, unknown>;
            saved_at: string | null;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/setup/sign-ins': {
    /**
     * Ways to sign in to AWS that this machine has
     *
     * Never a key. The role of a virtual machine is looked for only with `probe=instance`.
     *
     * Scope: `admin`.
     */
    get: {
      parameters: {
        query?: {
          probe?: 'instance';
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['AwsSignIn'][];
            /** What could not be read. */
            problems: string[];
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/setup/fetch': {
    /**
     * Fetch the configuration of an environment from AWS, and store it
     *
     * Each step is also an event `setup.step`. That it did not work is no problem of the request: `ok` is false, and the steps say what to do. `sandbox` fetches nothing: it makes the agent work on a stand-in for AWS inside itself.
     *
     * Scope: `admin`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': {
            /** Name of the environment, as the administrator gave it. A setup code knows it, the sandbox has its own. */
            environment?: string;
            sign_in:
              | {
                  kind: 'profile';
                  profile: string;
                }
              | {
                  kind: 'environment';
                }
              | {
                  kind: 'instance';
                }
              | {
                  kind: 'sandbox';
                }
              | {
                  kind: 'code';
                  /** A setup code; good once. */
                  code: string;
                };
            region?: string;
          };
        };
      };
      responses: {
        200: Answer<{
          'application/json': components['schemas']['FetchedSetup'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/setup/checks': {
    /**
     * Check what the agent needs, with a fix for each failure
     *
     * Each result is also an event `setup.check`, as it comes. What is checked is the configuration as it will be after a restart.
     *
     * Scope: `admin`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': {
            groups: ('machine' | 'browser' | 'aws')[];
          };
        };
      };
      responses: {
        200: Answer<{
          'application/json': components['schemas']['SetupChecks'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/setup/browsers': {
    /**
     * Browsers of this machine, and which one runs use
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['Browsers'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/setup/browsers/install': {
    /**
     * Fetch a browser for a machine that has none
     *
     * Takes some 170 MB from the network. Progress comes as events `setup.install`.
     *
     * Scope: `admin`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': {
            browser: 'chrome';
          };
        };
      };
      responses: {
        202: Answer<{
          'application/json': components['schemas']['BrowserInstall'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/setup/test-run': {
    /**
     * A short run on the built-in demo portal
     *
     * In sandbox mode it is a task of a real execution: poll, run, report and upload are proven together.
     *
     * Scope: `run`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': {
            script: 'first-run';
            /** Default: as the settings say. */
            level?: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
          };
        };
      };
      responses: {
        201: Answer<{
          'application/json': {
            run_id: string;
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        409: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/recording/levels': {
    /**
     * What each recording level uploads, what that would cost, which one counts, and what is kept
     *
     * Scope: `read`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['RecordingLevels'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/keys': {
    /**
     * List keys, revoked ones too
     *
     * Scope: `admin`.
     */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['ApiKey'][];
          };
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
    /**
     * Create a key
     *
     * The key itself is in this answer and never shown again.
     *
     * Scope: `admin`.
     */
    post: {
      parameters: Record<string, never>;
      requestBody: {
        content: {
          'application/json': {
            /** For a person: what the key is for. */
            name: string;
            scopes?: ('read' | 'run' | 'operate' | 'admin')[];
            tier?: 'basic' | 'standard' | 'premium';
            /** RFC 3339, in the future; absent: never. */
            expires_at?: string;
          };
        };
      };
      responses: {
        201: Answer<{
          'application/json': components['schemas']['NewApiKey'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/keys/{key_id}': {
    /**
     * Revoke a key, from now on and for good
     *
     * Scope: `admin`.
     */
    delete: {
      parameters: {
        path: {
          key_id: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': components['schemas']['ApiKey'];
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        404: Refused;
        413: Refused;
        415: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
  '/api/v1/openapi.json': {
    /** This document */
    get: {
      parameters: Record<string, never>;
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': Record<string, unknown>;
        }>;
        400: Refused;
        401: Refused;
        403: Refused;
        421: Refused;
        429: Refused;
        500: Refused;
      };
    };
  };
}

export interface components {
  schemas: {
    RunAgainInput: {
      /** On top of those that are kept; secrets are never kept and have to be given. */
      variables?: Record<string, unknown>;
      /** Instead of the level that it had. */
      level?: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
      /** Instead of the profile that it used. */
      profile?: string;
      headed?: boolean;
      /** Stand still before the first step. */
      paused?: boolean;
    };
    StartRunInput: {
      /** A script, or the name of a stored one: `name` or `name@version`. */
      script: string | Record<string, unknown>;
      variables?: Record<string, unknown>;
      /** Recording level; as the settings say when it is absent. */
      level?: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
      /** Profile, instead of the one that the script names. */
      profile?: string;
      /** Show the window of the browser. */
      headed?: boolean;
      /** Stand still before the first step, to be stepped through or resumed. */
      paused?: boolean;
    };
    OpenSessionInput: {
      /** Absent: a temporary one. */
      profile?: string;
      /** Show the window of the browser. */
      headed?: boolean;
      /** Recording level of every message. */
      level?: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
      /** For every message. */
      variables?: Record<string, unknown>;
      /** It ends when it had nothing to do for so long. Absent: as `api.session_idle_seconds` says. */
      idle_timeout_seconds?: number;
    };
    SendMessageInput: {
      /** A script, or the name of a stored one. */
      script?: string | Record<string, unknown>;
      /** One step, instead of a script. */
      step?: Record<string, unknown>;
      variables?: Record<string, unknown>;
    };
    CreateLiveTicketInput: {
      role?: 'viewer' | 'operator';
    };
    Problem: {
      /** Always `about:blank`: `error` says which problem it is. */
      type: 'about:blank';
      /** The status in words. */
      title: string;
      status: number;
      /** What went wrong, for a person. */
      detail: string;
      /** Name of the error, e.g. `BrowserAgent.InvalidScript`. */
      error: string;
      /** What to do about it. */
      hint?: string;
      /** Each thing that is wrong, with its place. */
      problems?: {
        path: string;
        message: string;
        severity?: 'error' | 'warning';
        line?: number;
        column?: number;
        suggestion?: string;
      }[];
    };
    AgentStatus: {
      /** `starting`, `working`, `paused`, `draining`, `stopping`, `stopped`; `none`: no worker. */
      state: string;
      detail: string;
      pid: number;
      started_at: string | null;
      activity_arn: string | null;
      tasks: {
        run_id: string;
        task_id: string;
        script_name: string;
      }[];
      waiting_for_person: {
        run_id: string;
        message: string;
      }[];
    };
    Restart: {
      /** What ends first, in words; null: nothing. */
      waits_for: string | null;
    };
    Event:
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'run.queued';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            /** Id of the run. */
            run_id: string;
            script_name: string;
            task_id: string | null;
            /** Null: not said. */
            requested_by: {
              kind: 'key' | 'owner' | 'cli' | 'task' | 'system';
              id: string;
            } | null;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'run.waiting';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            /** Id of the run. */
            run_id: string;
            waits_for: 'profile';
            profile: string;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'run.started';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            /** Id of the run. */
            run_id: string;
            script_name: string;
            profile: string | null;
            level: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
            level_reason: string;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'run.paused';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          /** Said when somebody makes it stand still, and again each time it does. */
          payload: {
            /** Id of the run. */
            run_id: string;
            by: {
              kind: 'key' | 'owner' | 'cli' | 'task' | 'system';
              id: string;
            };
            reason: string;
            since: string;
            /** False: the action that it had begun still goes on. */
            standing: boolean;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'run.resumed';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            /** Id of the run. */
            run_id: string;
            paused_ms: number;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'run.finished';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            /** Id of the run. */
            run_id: string;
            state: 'succeeded' | 'failed' | 'cancelled' | 'lost';
            error: {
              name: string;
              message: string;
            } | null;
            duration_ms: number;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'step.started';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            /** Id of the run. */
            run_id: string;
            /** In order of execution, from 1; 0: before the first step. */
            step_number: number;
            name: string;
            action: string;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'step.finished';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            /** Id of the run. */
            run_id: string;
            /** In order of execution, from 1; 0: before the first step. */
            step_number: number;
            name: string;
            action: string;
            success: boolean;
            duration_ms: number;
            error: {
              name: string;
              message: string;
            } | null;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'upload.finished';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            /** Id of the run. */
            run_id: string;
            key: string;
            size_bytes: number;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'upload.failed';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            /** Id of the run. */
            run_id: string;
            key: string;
            message: string;
            attempt: number;
            /** Null: never. */
            retry_at: string | null;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'human.requested';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            /** Id of the run. */
            run_id: string;
            /** In order of execution, from 1; 0: before the first step. */
            step_number: number;
            message: string;
            deadline: string;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'human.resolved';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            /** Id of the run. */
            run_id: string;
            by: 'person' | 'condition' | 'timeout' | 'cancel';
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'agent.state';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            state: string;
            detail: string | null;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'agent.service';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          /** An AWS service is failing and not called for a while (`open`), tried, or works again. */
          payload: {
            service: 'sfn' | 's3' | 'ssm' | 'secretsmanager' | 'sts';
            state: 'closed' | 'half_open' | 'open';
            since: string;
            last_error: string | null;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'agent.runs_removed';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          /** Past runs went from this machine by recording.keep_days and recording.keep_gb. */
          payload: {
            count: number;
            size_bytes: number;
            /** Of these, runs of which something is nowhere else. */
            not_in_s3: number;
            /** Above recording.keep_gb still, because runs are open or on their way to S3; 0: nothing. */
            over_bytes: number;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'agent.restarting';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          /** It ends what it does and starts anew in the same process: same address, same owner’s key. Connect again after a moment. */
          payload: {
            reason: string;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'setup.step';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          /** Fetching the configuration did this. */
          payload: {
            title: string;
            status: 'ok' | 'warn' | 'fail' | 'skip';
            detail: string;
            /** What to do; empty when nothing is. */
            fix: string;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'setup.check';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          /** A check of the setup is done. */
          payload: {
            id: string;
            title: string;
            status: 'ok' | 'warn' | 'fail' | 'skip';
            detail: string;
            /** What to do; empty when nothing is. */
            fix: string;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'setup.install';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          /** A browser is being installed. */
          payload: {
            state: 'running' | 'done' | 'failed';
            /** Null: not known. */
            percent: number | null;
            words: string;
            /** What to do when it failed; else empty. */
            fix: string;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'agent.task_received';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            task_id: string;
            /** Id of the run. */
            run_id: string;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'agent.task_reported';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            task_id: string;
            /** Id of the run. */
            run_id: string;
            outcome: 'succeeded' | 'failed';
            error_name: string | null;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'agent.lease_lost';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          payload: {
            task_id: string;
            /** Id of the run. */
            run_id: string;
            reason: string;
          };
        }
      | {
          /** Place in the stream: one more than that of the event before. */
          id: number;
          type: 'agent.history_lost';
          priority: 'low' | 'normal' | 'high';
          /** The part of the agent that it comes from. */
          source: 'runs' | 'uploads' | 'people' | 'worker' | 'setup' | 'stream';
          /** Id of the run that it belongs to. */
          correlation_id: string | null;
          /** RFC 3339, UTC. */
          time: string;
          /** Never in the history: said to a follower whose last id is older than what history holds, or was never given. What lies between is lost to it. */
          payload: {
            /** The id that was asked for. */
            after: number;
            /** The first id that history holds: it goes on with this one. */
            from_id: number;
          };
        };
    EventsClientMessage:
      | {
          type: 'subscribe';
          /** Names the subscription; one of the same name is replaced. */
          id: string;
          types?: string[];
          /** Id of a run; sorts by time. */
          run_id?: string;
          min_priority?: 'low' | 'normal' | 'high';
          /** The last id that the client has; 0: all that history holds. Default: where `consumer` is, else only what comes from now on. */
          after?: number;
          /** Goes on behind what this consumer has acknowledged. */
          consumer?: string;
        }
      | {
          type: 'unsubscribe';
          id: string;
        }
      | {
          type: 'acknowledge';
          consumer: string;
          /** This event and all before it are done with. */
          event_id: number;
        }
      | {
          type: 'ping';
        };
    EventsServerMessage:
      | {
          type: 'subscribed';
          id: string;
          position: number;
        }
      | {
          type: 'unsubscribed';
          id: string;
        }
      | {
          type: 'event';
          id: string;
          event: components['schemas']['Event'];
        }
      | {
          type: 'history_lost';
          id: string;
          after: number;
          from_id: number;
        }
      | {
          type: 'position';
          id: string;
          position: number;
        }
      | {
          type: 'acknowledged';
          consumer: string;
          event_id: number;
        }
      | {
          type: 'pong';
        }
      | {
          type: 'error';
          /** The subscription that the message was about. */
          id?: string;
          error: string;
          detail: string;
          hint?: string;
          /** Each thing that is wrong, with its place. */
          problems?: {
            path: string;
            message: string;
            severity?: 'error' | 'warning';
            line?: number;
            column?: number;
            suggestion?: string;
          }[];
        };
    ApiKey: {
      key_id: string;
      name: string;
      scopes: ('read' | 'run' | 'operate' | 'admin')[];
      tier: 'basic' | 'standard' | 'premium';
      /** RFC 3339, UTC. */
      created_at: string;
      expires_at: string | null;
      revoked_at: string | null;
      /** Exact to some seconds. */
      last_used_at: string | null;
    };
    LiveTicket: {
      /** Good for one connection. It is in this answer and never shown again. */
      ticket: string;
      role: 'viewer' | 'operator';
      /** RFC 3339, UTC. */
      expires_at: string;
      /** The page that shows the run, on the address of the API, with the ticket. */
      path: string;
    };
    LogLine: {
      /** RFC 3339, UTC. */
      time: string;
      level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
      message: string;
      run_id: string | null;
      /** Whatever else the line has. */
      fields: Record<string, unknown>;
    };
    SignInChecked: {
      signed_in: boolean;
      /** Where it ended up, which is often a sign-in page. */
      url: string;
      title: string;
      /** Why the page could not be looked at; null: it could. */
      problem: string | null;
      /** RFC 3339, UTC. */
      checked_at: string;
    };
    SignIn: {
      sign_in_id: string;
      profile: string;
      url: string | null;
      /** `waiting`: for who is in the profile; `open`: the window is there. */
      state: 'waiting' | 'open' | 'done' | 'cancelled' | 'failed';
      /** While it waits: the run, or `session:ID`. */
      held_by: string | null;
      problem: string | null;
      /** RFC 3339, UTC. */
      started_at: string;
      ended_at: string | null;
    };
    Profile: {
      name: string;
      tags: string[];
      description: string;
      /** RFC 3339, UTC. */
      created_at: string;
      last_used_at: string | null;
      /** When a person last signed in to it. */
      signed_in_at: string | null;
      used_by_run: string | null;
      /** Who is in it right now. */
      used_by: {
        kind: 'run' | 'session' | 'sign_in';
        id: string;
      } | null;
      /** How many runs wait for it. */
      waiting: number;
      /** Stored scripts that name it. */
      used_by_scripts: string[];
      /** The newest since the agent began. */
      sign_in: components['schemas']['SignIn'] | null;
      /** How it is looked whether it is signed in. */
      check: {
        /** A page that only who is signed in gets to see. */
        url: string;
        /** Something on it that nobody else sees. */
        selector?: string;
        /** The same as words. */
        text?: string;
      } | null;
      /** What that said last. */
      checked: components['schemas']['SignInChecked'] | null;
    };
    ImportedProfile: {
      name: string;
      tags: string[];
      description: string;
      /** RFC 3339, UTC. */
      created_at: string;
      last_used_at: string | null;
      /** When a person last signed in to it. */
      signed_in_at: string | null;
      used_by_run: string | null;
      /** Who is in it right now. */
      used_by: {
        kind: 'run' | 'session' | 'sign_in';
        id: string;
      } | null;
      /** How many runs wait for it. */
      waiting: number;
      /** Stored scripts that name it. */
      used_by_scripts: string[];
      /** The newest since the agent began. */
      sign_in: components['schemas']['SignIn'] | null;
      /** How it is looked whether it is signed in. */
      check: {
        /** A page that only who is signed in gets to see. */
        url: string;
        /** Something on it that nobody else sees. */
        selector?: string;
        /** The same as words. */
        text?: string;
      } | null;
      /** What that said last. */
      checked: components['schemas']['SignInChecked'] | null;
      /** What the file held and the profile does not: files by kind, and keys of preferences. Empty for a file of this version. */
      left_out: {
        kind:
          | 'components'
          | 'extensions'
          | 'service_workers'
          | 'passwords_and_history'
          | 'site_files'
          | 'preferences'
          | 'caches_and_logs'
          | 'other';
        count: number;
      }[];
    };
    Run: {
      run_id: string;
      /** Of the activity task it runs for; null for a run of its own. */
      task_id: string | null;
      script_name: string;
      state: 'queued' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost';
      level: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
      level_reason: string;
      profile: string | null;
      /** RFC 3339, UTC. */
      queued_at: string;
      started_at: string | null;
      ended_at: string | null;
      error: {
        name: string;
        message: string;
      } | null;
      /** Somebody makes it stand still before its next action. */
      paused: boolean;
      pause: {
        by: {
          kind: string;
          id: string;
        };
        reason: string;
        /** `takeover`: a person acts in its page. */
        kind: 'pause' | 'takeover';
        /** RFC 3339, UTC. */
        since: string;
        /** It stands still; otherwise its last action still goes on. */
        standing: boolean;
      } | null;
    };
    Advice: {
      /** A few words, in place of the name. */
      title: string;
      meaning: string;
      /** What to try, most likely help first. */
      steps: string[];
    };
    RunDetail: {
      run_id: string;
      /** Of the activity task it runs for; null for a run of its own. */
      task_id: string | null;
      script_name: string;
      state: 'queued' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost';
      level: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
      level_reason: string;
      profile: string | null;
      /** RFC 3339, UTC. */
      queued_at: string;
      started_at: string | null;
      ended_at: string | null;
      error: {
        name: string;
        message: string;
      } | null;
      /** Somebody makes it stand still before its next action. */
      paused: boolean;
      pause: {
        by: {
          kind: string;
          id: string;
        };
        reason: string;
        /** `takeover`: a person acts in its page. */
        kind: 'pause' | 'takeover';
        /** RFC 3339, UTC. */
        since: string;
        /** It stands still; otherwise its last action still goes on. */
        standing: boolean;
      } | null;
      steps: {
        number: number;
        name: string;
        action: string;
        /** Where it stands in the script. */
        path: string;
        state: 'intent' | 'done';
        success: boolean | null;
        /** RFC 3339, UTC. */
        started_at: string;
        ended_at: string | null;
        duration_ms: number | null;
        /** When it took more than one. */
        attempts: number | null;
        /** Of the page, where the step says it. */
        url: string | null;
        /** Why it failed. */
        error: {
          name: string;
          message: string;
          advice: components['schemas']['Advice'];
        } | null;
      }[];
      /** Which of the script’s own list of steps it is at, from 1. */
      step: number | null;
      /** How many that list has; null where the script cannot be read. */
      of_steps: number | null;
      /** What the person is asked to do, while it waits. */
      waiting_for_person: string | null;
      /** As the script format documents it. */
      result: Record<string, unknown> | null;
      /** What its error means, and what to do. */
      advice: components['schemas']['Advice'] | null;
      uploads: {
        files: number;
        bytes: number;
        /** That S3 has: of large files part by part. */
        sent_bytes: number;
        done: number;
        waiting: number;
        failed: number;
        /** Why something still waits, or has failed. */
        last_error: string | null;
      };
      /** Where its evidence is in S3; null: nowhere. */
      s3_uri: string | null;
      /** The same as a page of the AWS console; null where it is not AWS. */
      s3_console_url: string | null;
      /** What of it stays on this machine; null: nothing. */
      folder: string | null;
      /** With what it can be run again; null: its script is not kept whole. */
      again: {
        variables: Record<string, unknown>;
        /** Secrets, which are not kept: to be given anew. */
        needs_variables: string[];
      } | null;
    };
    Artifact: {
      artifact_id: number;
      /** One of `failure_screenshot`, `failure_html`, `failure_errors`, `failure_video`, `manifest`, `final_screenshot`, `final_html`, `data`, `download`, `screenshot`, `key_screenshot`, `key_html`, `trace`, `har`, `step_screenshot`, `step_html`, `video`. */
      kind: string;
      /** What it is, for people. */
      title: string;
      /** What a person opens the file with, where a double click is not enough. */
      opens_with: string | null;
      /** Its name in the run, e.g. `steps/001-open.jpg`. */
      key: string;
      content_type: string;
      size_bytes: number;
      sha256: string;
      /** Whether the level lets it go to S3. */
      uploads: boolean;
      /** Whether it stays on this machine; otherwise it is gone once it is in S3. */
      kept: boolean;
      /** How many places were masked in it. */
      masked: number;
      step_number: number | null;
      /** Where to get it. */
      href: string;
      /** On its way to S3, or there; null: it stays here. */
      upload: {
        state: 'pending' | 'done' | 'failed';
        s3_uri: string;
        /** That S3 has: of a large file part by part. */
        sent_bytes: number;
        last_error: string | null;
      } | null;
    };
    ScriptSample: {
      id: string;
      name: string;
      description: string;
      /** How many steps it has, those inside others not counted. */
      steps: number;
      /** The script as it is written, with its line breaks. */
      text: string;
    };
    ScriptVersion: {
      version_id: number;
      /** RFC 3339, UTC. */
      saved_at: string;
      /** Who stored it; null: the file itself was changed. */
      by: {
        kind: string;
        id: string;
      } | null;
      sha256: string;
      size_bytes: number;
      /** This is what is stored now. */
      current: boolean;
    };
    StoredScript: {
      /** `name` or `name@version`: how runs and other scripts name it. */
      reference: string;
      name: string;
      version: string | null;
      /** As the script names itself; null where it cannot be read. */
      title: string | null;
      description: string | null;
      /** Those inside others not counted. */
      steps: number | null;
      /** The profile that it names. */
      profile: string | null;
      /** That it declares. */
      variables: string[];
      /** RFC 3339, UTC. */
      updated_at: string;
    };
    Session: {
      session_id: string;
      state: 'open' | 'ended';
      /** Why and when it ended. */
      ended: {
        reason: 'closed' | 'idle' | 'browser_ended' | 'agent_stopped' | 'key_revoked';
        detail: string;
        /** RFC 3339, UTC. */
        at: string;
      } | null;
      /** Null: a temporary one. */
      profile: string | null;
      headed: boolean;
      /** Null: each message has the level that its script and the settings say. */
      level: ('NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE') | null;
      idle_timeout_seconds: number;
      /** Who opened it. */
      key: {
        id: string;
        name: string;
      };
      /** RFC 3339, UTC. */
      created_at: string;
      /** RFC 3339, UTC. */
      last_used_at: string;
    };
    SessionMessage: {
      message_id: string;
      session_id: string;
      script_name: string;
      state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
      /** The run that it became; null before it begins. */
      run_id: string | null;
      error: {
        name: string;
        message: string;
      } | null;
      /** RFC 3339, UTC. */
      created_at: string;
      started_at: string | null;
      ended_at: string | null;
    };
    SessionMessageDetail: {
      message_id: string;
      session_id: string;
      script_name: string;
      state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
      /** The run that it became; null before it begins. */
      run_id: string | null;
      error: {
        name: string;
        message: string;
      } | null;
      /** RFC 3339, UTC. */
      created_at: string;
      started_at: string | null;
      ended_at: string | null;
      /** Of its run, as the script format documents it. */
      result: Record<string, unknown> | null;
    };
    Setting: {
      /** e.g. `recording.max_level`. */
      key: string;
      /** As configured now; a credential is masked. */
      value: unknown;
      /** Where the value comes from, e.g. `settings.yaml:12`. */
      source: string;
      /** When a change of it counts: `now`, for runs that start after it, or after a restart. */
      applies: 'now' | 'next run' | 'restart';
      /** The agent still works with an earlier value, until it is started again. */
      pending_restart: boolean;
      /** What it is for. */
      doc: string;
      type: 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';
      /** What may be set, in words. */
      allowed: string;
      /** The words it allows, when it allows only some. */
      options: string[] | null;
      minimum: number | null;
      maximum: number | null;
      /** It may be left unset. */
      nullable: boolean;
      default: unknown;
      /** Variables that set it and are stronger, strongest first. */
      environment: string[];
      /** Only the environment can set it, or only the owner of this machine; null: it can be set. */
      read_only: ('environment' | 'owner') | null;
      /** Its value is never shown. */
      secret: boolean;
    };
    ChangedSetting: {
      /** e.g. `recording.max_level`. */
      key: string;
      /** As configured now; a credential is masked. */
      value: unknown;
      /** Where the value comes from, e.g. `settings.yaml:12`. */
      source: string;
      /** When a change of it counts: `now`, for runs that start after it, or after a restart. */
      applies: 'now' | 'next run' | 'restart';
      /** The agent still works with an earlier value, until it is started again. */
      pending_restart: boolean;
      /** What it is for. */
      doc: string;
      type: 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';
      /** What may be set, in words. */
      allowed: string;
      /** The words it allows, when it allows only some. */
      options: string[] | null;
      minimum: number | null;
      maximum: number | null;
      /** It may be left unset. */
      nullable: boolean;
      default: unknown;
      /** Variables that set it and are stronger, strongest first. */
      environment: string[];
      /** Only the environment can set it, or only the owner of this machine; null: it can be set. */
      read_only: ('environment' | 'owner') | null;
      /** Its value is never shown. */
      secret: boolean;
      /** What was asked for is in settings.yaml, but `source` is stronger: `value` is what it says, until that is gone. */
      overridden: boolean;
    };
    Need: {
      kind:
        | 'setup'
        | 'human_step'
        | 'sign_in'
        | 'run_paused'
        | 'worker'
        | 'browser'
        | 'disk'
        | 'service'
        | 'uploads';
      /** For a person, in a few words. */
      title: string;
      /** What happened, and what to do. */
      detail: string;
      /** The screen that helps; `id` names run or profile on it. */
      go_to: 'setup' | 'run' | 'profile' | 'uploads' | 'settings' | 'log' | 'home';
      id: string | null;
    };
    Summary: {
      /** What is counted began then. */
      since: string;
      runs: {
        total: number;
        queued: number;
        waiting: number;
        running: number;
        succeeded: number;
        failed: number;
        cancelled: number;
        lost: number;
      };
      /** Of the runs that have ended. */
      median_duration_ms: number | null;
      tasks: {
        received: number;
        reported: number;
        lost: number;
      };
      uploads: {
        /** That came to S3 since then. */
        files: number;
        bytes: number;
        /** That are still here, from whenever they are. */
        waiting: number;
        waiting_bytes: number;
        /** That are not tried again by themselves. */
        failed: number;
      };
      /** What it does now, oldest first. */
      current: {
        run_id: string;
        /** Of the activity task it runs for; null for a run of its own. */
        task_id: string | null;
        script_name: string;
        state: 'queued' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost';
        level: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
        level_reason: string;
        profile: string | null;
        /** RFC 3339, UTC. */
        queued_at: string;
        started_at: string | null;
        ended_at: string | null;
        error: {
          name: string;
          message: string;
        } | null;
        /** Somebody makes it stand still before its next action. */
        paused: boolean;
        pause: {
          by: {
            kind: string;
            id: string;
          };
          reason: string;
          /** `takeover`: a person acts in its page. */
          kind: 'pause' | 'takeover';
          /** RFC 3339, UTC. */
          since: string;
          /** It stands still; otherwise its last action still goes on. */
          standing: boolean;
        } | null;
        /** Which of the script’s own list of steps it is at, from 1: best effort, branches and loops are one step. */
        step: number | null;
        /** How many that list has; null where the script cannot be read. */
        of_steps: number | null;
        /** Of the step that was begun last, also inside others. */
        step_name: string | null;
        /** What a person is asked to do. */
        waiting_for_person: string | null;
      }[];
      /** What cannot go on without a person, most urgent first. */
      needs_person: components['schemas']['Need'][];
    };
    RecordingLevel: {
      level: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
      title: string;
      /** What is uploaded, in plain words. */
      uploads: string;
      /** Kinds of artifacts of every run. */
      kinds: string[];
      /** Further kinds of runs that fail. */
      kinds_of_failures: string[];
      /** Not above the owner’s cap. */
      allowed: boolean;
      estimate: {
        sessions_per_month: number;
        /** The middle one of this machine’s runs; at ERROR, where most have none, the mean. */
        bytes_per_session: number;
        bytes_per_month: number;
        /** For what a month brings, each month that it is kept: US dollars in S3 Standard, US East, without requests. */
        dollars_per_month: number;
        /** `default`: fewer than five of the last 30 days recorded that much; ERROR: of a failed session. */
        from: 'runs' | 'default';
        /** That it is made from. */
        runs: number;
      };
    };
    RecordingLevels: {
      /** Weakest first. */
      items: components['schemas']['RecordingLevel'][];
      /** Of a run for which neither task nor script nor the agent that asks names one. */
      current: {
        level: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
        reason: string;
      };
      /** `recording.default_level`, as it is set. */
      default_level: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
      /** `recording.max_level`: nothing above it is uploaded, whoever asks. */
      cap: {
        level: 'NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE';
        source: string;
      };
      /** What past runs take on this machine; `recording.keep_gb` bounds it. */
      kept_bytes: number;
      /** `RECORDING_LEVEL_OVERRIDE`, stronger than everything but the cap. */
      override: ('NONE' | 'ERROR' | 'INFO' | 'DEBUG' | 'TRACE') | null;
    };
    Setup: {
      /** Activity and bucket are known. */
      configured: boolean;
      /** Works on AWS, on the stand-in inside the agent, or takes no tasks. */
      mode: 'aws' | 'sandbox' | 'none';
      environment: string;
      region: string | null;
      activity_arn: string | null;
      bucket: string | null;
      /** Where the AWS identity comes from, in words. */
      identity: string;
      /** As `state` of the agent. */
      worker_state: string;
      /** What a person should know of this mode. */
      note: string | null;
      /** As it will be after a restart: after fetching, this is what was fetched. */
      next: {
        /** Activity and bucket are known. */
        configured: boolean;
        /** Works on AWS, on the stand-in inside the agent, or takes no tasks. */
        mode: 'aws' | 'sandbox' | 'none';
        environment: string;
        region: string | null;
        activity_arn: string | null;
        bucket: string | null;
      };
      /** `next` is not what the agent works with now. */
      restart_needed: boolean;
      /** As the wizard saved it; empty when it never did. */
      progress: Record<string, unknown>;
      saved_at: string | null;
    };
    AwsSignIn: {
      kind: 'profile' | 'environment' | 'instance' | 'stored' | 'sandbox';
      /** Of the profile. */
      name: string | null;
      /** How a profile gets its keys. */
      source: ('sso' | 'keys' | 'role' | 'process' | 'web_identity' | 'login' | 'unknown') | null;
      region: string | null;
      sso_session: string | null;
      /** For a person. */
      words: string;
      /** As far as one can tell without asking AWS. */
      usable: boolean;
      /** What to do first, or when it fails; else empty. */
      fix: string;
    };
    FetchedSetup: {
      ok: boolean;
      steps: {
        title: string;
        status: 'ok' | 'warn' | 'fail' | 'skip';
        detail: string;
        /** What to do; empty when nothing is. */
        fix: string;
      }[];
      /** What was found, and where. Keys are never shown. */
      values: {
        key: string;
        value: string;
        source: string;
      }[];
      /** `POST /agent/restart` takes it up. */
      restart_needed: boolean;
    };
    SetupChecks: {
      ok: boolean;
      checks: {
        id: string;
        title: string;
        status: 'ok' | 'warn' | 'fail' | 'skip';
        detail: string;
        /** What to do; empty when nothing is. */
        fix: string;
      }[];
    };
    BrowserInstall: {
      state: 'running' | 'done' | 'failed';
      percent: number | null;
      words: string;
      fix: string;
    };
    Browsers: {
      items: {
        name: string;
        channel: string | null;
        path: string;
        version: string | null;
        /** `installed`, `playwright`, `fetched`, `system` or `configured`. */
        source: string;
      }[];
      /** The one that runs use. Its version only where it is in `items`. */
      chosen: {
        name: string;
        channel: string | null;
        path: string;
        version: string | null;
        /** `installed`, `playwright`, `fetched`, `system` or `configured`. */
        source: string;
      } | null;
      /** Why none can be used, and what to do. */
      problem: string | null;
      /** Null: runs have no video. */
      ffmpeg: string | null;
      /** Of this start of the agent. */
      install: components['schemas']['BrowserInstall'] | null;
    };
    Upload: {
      upload_id: number;
      run_id: string;
      s3_uri: string;
      content_type: string;
      size_bytes: number;
      state: 'pending' | 'done' | 'failed';
      attempts: number;
      /** When it is tried next; null when it has ended. */
      next_at: string | null;
      done_at: string | null;
      last_error: string | null;
    };
    NewApiKey: {
      key_id: string;
      name: string;
      scopes: ('read' | 'run' | 'operate' | 'admin')[];
      tier: 'basic' | 'standard' | 'premium';
      /** RFC 3339, UTC. */
      created_at: string;
      expires_at: string | null;
      revoked_at: string | null;
      /** Exact to some seconds. */
      last_used_at: string | null;
      key: string;
    };
  };
}

interface Answer<Content> {
  headers: Record<string, unknown>;
  content: Content;
}
type Refused = Answer<{ 'application/problem+json': components['schemas']['Problem'] }>;
type Empty = { headers: Record<string, unknown>; content?: never };
