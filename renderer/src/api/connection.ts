/** Where the agent is: from the window's main process, or from the address that the page was opened with. */
import { useEffect, useState } from 'react';
import { bridge, type AgentConnection } from '../bridge.ts';

const TOKEN_KEY = 'lba.token';

/** The key stays for this tab, so that loading the page anew works; it is gone with the tab. */
function fromAddress(): AgentConnection {
  const given = new URLSearchParams(window.location.hash.slice(1)).get('token');
  if (given !== null) {
    sessionStorage.setItem(TOKEN_KEY, given);
    // Neither the history nor a copied address is to hold the key.
    window.history.replaceState(null, '', `${window.location.pathname}#/`);
  }
  const token = given ?? sessionStorage.getItem(TOKEN_KEY);
  if (token !== null) return { state: 'ready', url: window.location.origin, token };
  return {
    state: 'failed',
    problem:
      'This page was opened without a key. On the machine of the agent, run "local-browser-agent app": it shows an address with one.',
  };
}

/** Read once: the key is taken out of the address. */
const initial: AgentConnection = bridge ? { state: 'starting' } : fromAddress();

export function useConnection(): AgentConnection {
  const [connection, setConnection] = useState<AgentConnection>(initial);
  useEffect(() => {
    if (!bridge) return undefined;
    let isOver = false;
    let isTold = false;
    const forget = bridge.onAgentChange((next) => {
      isTold = true;
      setConnection(next);
    });
    bridge.agent().then(
      (now) => {
        if (!isOver && !isTold) setConnection(now);
      },
      (thrown: unknown) => setConnection({ state: 'failed', problem: String(thrown) }),
    );
    return () => {
      isOver = true;
      forget();
    };
  }, []);
  return connection;
}
