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
     * Whether database, browser, worker, upload queue and disk are well
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
  '/api/v1/runs': {
    /**
     * List runs, newest first
     *
     * Scope: `read`.
     */
    get: {
      parameters: {
        query?: {
          state?: 'queued' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost';
          script_name?: string;
          profile?: string;
          limit?: number;
          /** `next_cursor` of the page before. */
          cursor?: string;
        };
      };
      requestBody?: never;
      responses: {
        200: Answer<{
          'application/json': {
            items: components['schemas']['Run'][];
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
  '/api/v1/runs/{run_id}/resume': {
    /**
     * The person is done: a run that waits for them goes on
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
  '/api/v1/settings': {
    /**
     * Every setting in force with its source
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
      }[];
      /** What the person is asked to do, while it waits. */
      waiting_for_person: string | null;
      /** As the script format documents it. */
      result: Record<string, unknown> | null;
    };
    Artifact: {
      artifact_id: number;
      kind: string;
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
    };
    StoredScript: {
      /** `name` or `name@version`: how runs and other scripts name it. */
      reference: string;
      name: string;
      version: string | null;
    };
    Setting: {
      /** e.g. `recording.max_level`. */
      key: string;
      value: unknown;
      /** Where the value comes from, e.g. `settings.yaml:12`. */
      source: string;
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
